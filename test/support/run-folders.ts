/** Run folders with nothing in them, made for the tests of one process and removed at its end. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { InputError } from '../../src/errors.js';
import { makeManifest } from '../../src/provenance/manifest.js';
import type { RunEvent } from '../../src/runs/events.js';
import { createRunFolder } from '../../src/runs/run-folder.js';

export const folder = mkdtempSync(join(tmpdir(), 'satin-runs-'));
after(() => rmSync(folder, { recursive: true }));

export const recipe = { name: 'a', training: { epochs: 3, schedule: { learningRate: 0.1 } } };
export const manifest = makeManifest({
  engine: { libtorch: '1.13.1', cuda: false },
  device: 'cpu',
  threads: 2,
  seeds: { run: 0, validation: 0 },
  chosen: {},
});
export const time = '2026-01-01T00:00:00.000Z';

export function step(number: number, loss = 1): RunEvent {
  return {
    type: 'step',
    time,
    epoch: 1,
    step: number,
    loss,
    accuracy: 0.5,
    learningRate: 0.1,
    imagesPerSecond: 9,
  };
}

export function create(name: string) {
  return createRunFolder({ path: join(folder, name), recipe, manifest });
}

export function refused(message: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof InputError, String(error));
    assert.match(error.message, message);
    return true;
  };
}
