/** A run's events as TensorBoard's file: the bytes, what is drawn, and no step twice after an interruption. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { RunEvent } from '../../../src/runs/events.js';
import { scalarBytes, versionBytes } from '../../../src/runs/tensorboard/event-bytes.js';
import { hasEventFile, openEventFile } from '../../../src/runs/tensorboard/event-file.js';

const run = mkdtempSync(join(tmpdir(), 'satin-tensorboard-'));
after(() => rmSync(run, { recursive: true }));
const time = '2026-11-27T10:00:00.500Z';
const step = (step: number): RunEvent => ({
  type: 'step',
  time,
  epoch: 1,
  step,
  loss: 2.5,
  accuracy: 0.25,
  learningRate: 0.1,
  imagesPerSecond: 100,
});
const epoch: RunEvent = {
  type: 'epoch',
  time,
  epoch: 1,
  step: 20,
  seconds: 3,
  measurements: { 'validation/clean': 0.5, 'validation/robust/linf-8-255/pgd-10': 0.25 },
};

/** The payloads of a file's records. */
function recordsOf(file: string): Buffer[] {
  const bytes = readFileSync(file);
  const records: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    records.push(bytes.subarray(at + 12, at + 12 + length));
    at += length + 16;
  }
  return records;
}
const files = () => readdirSync(join(run, 'tensorboard'));

describe('the event file', () => {
  it('has the bytes that TensorBoard 2.21 writes for the same scalar', () => {
    // Event(wall_time=1.5, step=7, summary=Summary(value=[Summary.Value(tag="a/b", simple_value=0.5)])).SerializeToString()
    assert.equal(
      Buffer.from(scalarBytes(1.5, 7, [{ tag: 'a/b', value: 0.5 }])).toString('hex'),
      '09000000000000f83f10072a0c0a0a0a03612f62150000003f',
    );
    // Event(wall_time=1.5, file_version="brain.Event:2").SerializeToString()
    assert.equal(
      Buffer.from(versionBytes(1.5)).toString('hex'),
      '09000000000000f83f1a0d627261696e2e4576656e743a32',
    );
  });

  it('begins with the events so far, and replaces the file of an earlier process alone', () => {
    assert.equal(hasEventFile(run), false);
    {
      using file = openEventFile(run, []);
      file.append(step(10));
      file.append(step(20));
    }
    const [first] = files();
    assert.match(first!, /^events\.out\.tfevents\.\d+\..*\.satin$/);
    assert.equal(recordsOf(join(run, 'tensorboard', first!)).length, 3);
    assert.equal(hasEventFile(run), true);
    writeFileSync(join(run, 'tensorboard', 'events.out.tfevents.1.other'), 'not ours');
    {
      using file = openEventFile(run, [step(10)]);
      file.append(epoch);
    }
    const own = files().filter((name) => name.endsWith('.satin'));
    assert.equal(own.length, 1);
    assert.equal(recordsOf(join(run, 'tensorboard', own[0]!)).length, 3);
    assert.ok(files().includes('events.out.tfevents.1.other'));
  });
});
