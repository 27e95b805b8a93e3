import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { readCheckpoint } from '../../../src/runs/checkpoint.js';
import { killAndResume } from '../../support/kill.js';
import { outcome, satin, tinyRecipe, writeTinyMnist } from '../../support/tiny-run.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-kill-'));
after(() => rmSync(folder, { recursive: true }));

/** What a run may have beside the objective: all of it must go on to the bit. */
const options = {
  // A short step: the network must learn something soon, or the guard keeps nothing.
  attack: { steps: 1, stepSize: 0.005, randomStart: false },
  optimizer: { name: 'adamw' },
  schedule: { name: 'one-cycle', learningRate: 0.02, warmup: 1 },
  accumulate: 2,
  clipNorm: 0.1,
  ema: {},
  guard: { every: 3, examples: 128 },
};

for (const { what, training, runs } of [
  { what: 'ten runs', training: {}, runs: 10 },
  { what: 'four runs with every option', training: options, runs: 4 },
])
  it(`${what}, each killed four times, during a checkpoint write too, end with the bits of the run left alone`, async (context) => {
    const recipe = join(folder, `tiny-${runs}.yaml`);
    const tiny = tinyRecipe(join(folder, 'mnist'));
    writeTinyMnist(join(folder, 'mnist'));
    writeFileSync(
      recipe,
      JSON.stringify({ ...tiny, training: { ...tiny.training, epochs: 8, ...training } }),
    );
    const alone = join(folder, `alone-${runs}`);
    const { status, stderr } = satin('train', recipe, '--out', alone);
    assert.equal(status, 0, stderr);
    const expected = outcome(alone);

    let [kills, duringWrite] = [0, 0];
    for (let seed = 0; seed < runs; seed++) {
      const path = join(folder, `killed-${runs}-${seed}`);
      for (const files of await killAndResume({ recipe, path, kills: 4, seed, longest: 100 })) {
        kills++;
        // A checkpoint that is whole and at rest is last.json and two files, and the same or less of the others.
        if (
          files.some((file) => file.includes('.tmp')) ||
          files.filter((file) => file.startsWith('last')).length !== 3
        )
          duringWrite++;
      }
      assert.deepEqual(outcome(path), expected, `run ${seed}`);
      assert.deepEqual(healthyOf(path), healthyOf(alone), `run ${seed}`);
    }
    context.diagnostic(`${duringWrite} of ${kills} kills hit a checkpoint that was being written`);
    assert.ok(duringWrite > 0, `none of ${kills} kills hit a checkpoint that was being written`);
  });

const healthyOf = (run: string) => readCheckpoint({ path: run, names: ['healthy'] }).weights;
