/** A run that its patience ends: on disk, resumed, on several ranks, and what commands say of it. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { noticeOf } from '../../src/app/report/run-differences.js';
import { availableBackends } from '../../src/distributed/collectives.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { readEvents } from '../../src/runs/event-log.js';
import { attempt } from '../support/attempt.js';
import { commandLines } from '../support/command-lines.js';
import { satinRanks } from '../support/ranks.js';
import { outcome, tinyRecipe, tinyTraining, writeTinyMnist } from '../support/tiny-run.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-patience-'));
const lines = commandLines();
after(() => {
  lines.close();
  rmSync(folder, { recursive: true });
});
const data = join(folder, 'mnist');
writeTinyMnist(data);
setThreads(1);

/** Weights that do not move: no epoch after the first is better. */
const still = {
  attack: { steps: 1 },
  epochs: 6,
  epochSteps: 2,
  patience: 2,
  schedule: { name: 'constant', learningRate: 1e-12 },
};
const recipe = tinyTraining(data, still);
const alone = join(folder, 'alone');
const { asked } = await attempt({ recipe, path: alone });

/** The end of a run, and how many epochs it took. */
function endOf(path: string) {
  const events = readEvents(path);
  const end = events.at(-1);
  assert.ok(end?.type === 'end');
  const epochs = events.filter(({ type }) => type === 'epoch').length;
  return { epochs, epoch: end.epoch, step: end.step, bestEpoch: end.bestEpoch };
}

describe('a run with patience', () => {
  const expected = { epochs: 3, epoch: 3, step: 6, bestEpoch: 1 };

  it('ends early, and the same wherever it was interrupted', async () => {
    assert.deepEqual(endOf(alone), expected);
    for (const stopAfter of [1, 4, Math.floor(asked / 2), asked - 1]) {
      const path = join(folder, `stopped-${stopAfter}`);
      const { finished } = await attempt({ recipe, path, stopAfter });
      if (!finished) assert.equal((await attempt({ recipe, path, resume: true })).finished, true);
      assert.deepEqual(outcome(path), outcome(alone), `stop ${stopAfter}`);
    }
  });

  it('is finished: resumed, it is left as it is', async () => {
    const log = () => readFileSync(join(alone, 'events.jsonl'), 'utf8');
    const before = log();
    const { status, stdout } = await lines.run(['train', alone, '--resume']);
    assert.equal(status, 0);
    assert.match(stdout, /^The run is finished already/);
    assert.equal(log(), before);
    // Killed between its last checkpoint and its end.
    writeFileSync(join(alone, 'events.jsonl'), `${before.trimEnd().split('\n').slice(0, -1).join('\n')}\n`);
    await attempt({ recipe, path: alone, resume: true });
    assert.deepEqual(endOf(alone), expected);
  });

  it('is told of in the caveat of a report', () => {
    assert.match(
      noticeOf([{ path: alone, recipe }], []),
      /alone has trained 3 of its 6 epochs\. Stopped early: none of the last 2 epochs was better than epoch 1\.$/,
    );
  });

  const skip = availableBackends().includes('gloo') ? false : 'this engine was built without Gloo';
  it('ends after the same epoch on every rank', { skip, timeout: 60_000 }, async () => {
    const file = join(folder, 'tiny.json');
    const tiny = tinyRecipe(data);
    writeFileSync(file, JSON.stringify({ ...tiny, training: { ...tiny.training, ...still } }));
    const path = join(folder, 'ranks');
    const line = ['train', file, '--out', path];
    const { ended } = await satinRanks([line, line]);
    const [first, second] = await ended;
    assert.deepEqual([first!.status, second!.status], [0, 0], `${first!.stderr}${second!.stderr}`);
    assert.match(first!.stderr, /Stopped early: none of the last 2 epochs was better than epoch 1\./);
    assert.deepEqual(endOf(path), expected);
  });
});
