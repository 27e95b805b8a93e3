/** Every recipe on Fashion-MNIST trains: its smoke run, through the command line. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { recipeNames } from '../../../src/recipe/load-recipe.js';
import { readCheckpoint } from '../../../src/runs/checkpoint.js';
import { readEvents } from '../../../src/runs/event-log.js';
import { satin } from '../../support/tiny-run.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-recipes-'));
after(() => rmSync(folder, { recursive: true }));
const hasData = existsSync('/usr/share/datasets/fashion-mnist');
const names = recipeNames().filter((name) => name.startsWith('fashion-mnist-'));

describe('a smoke run', { skip: !hasData && 'the package dataset-fashion-mnist is not here' }, () => {
  // The quickstart's own test trains the other two.
  for (const name of names.filter((each) => !/-(relu|silu)$/.test(each)))
    it(`of ${name} trains, is measured and leaves a model`, () => {
      const run = join(folder, name);
      const { status, stderr } = satin('train', name, '--smoke', '--threads', '1', '--out', run);
      assert.equal(status, 0, stderr);
      const events = readEvents(run);
      const steps = events.flatMap((event) => (event.type === 'step' ? [event] : []));
      assert.ok(steps.length >= 4 && steps.every(({ loss }) => Number.isFinite(loss)), name);
      const epoch = events.find((event) => event.type === 'epoch');
      assert.ok(epoch !== undefined);
      assert.equal(events.at(-1)!.type, 'end');
      const watched = Object.keys(epoch.measurements).filter((key) => key.startsWith('train/robust/'));
      assert.equal(watched.length, name === 'fashion-mnist-clean' ? 0 : 3);
      assert.equal(readCheckpoint({ path: run }).model.architecture, 'resnet8');
    });
});
