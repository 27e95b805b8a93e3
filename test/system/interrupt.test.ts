import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { readCheckpoint } from '../../src/runs/checkpoint.js';
import { readEvents } from '../../src/runs/event-log.js';
import { killAndResume } from '../support/kill.js';
import { mainFile, outcome, satin, tinyRecipe, writeTinyMnist } from '../support/tiny-run.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-interrupt-'));
after(() => rmSync(folder, { recursive: true }));
const recipe = join(folder, 'tiny.yaml');
writeTinyMnist(join(folder, 'mnist'));
writeFileSync(recipe, JSON.stringify(tinyRecipe(join(folder, 'mnist'))));

const alone = join(folder, 'alone');
assert.equal(satin('train', recipe, '--out', alone).status, 0);

describe('Ctrl-C during a training run', () => {
  it('ends it with 130 after a checkpoint, and --resume ends with the same bits', async () => {
    const path = join(folder, 'interrupted');
    const child = spawn(process.execPath, [mainFile, 'train', recipe, '--out', path]);
    let stderr = '';
    let isSent = false;
    child.stderr.on('data', (data) => {
      stderr += data;
      // The line of the first epoch: training is under way.
      if (!isSent && /1\/3/.test(stderr)) isSent = child.kill('SIGINT');
    });
    const status = await new Promise((resolve) => child.once('close', resolve));
    assert.equal(status, 130, stderr);
    assert.match(
      stderr,
      /\nsatin: Interrupted after step \d+; a checkpoint was written\. Continue with --resume\.\n$/,
    );
    const stopped = readCheckpoint({ path, names: ['last'] }).progress?.step ?? 0;
    assert.ok(stopped >= 8 && stopped < 24, `stopped after step ${stopped}`);
    assert.equal(readEvents(path).filter(({ type }) => type === 'interrupted').length, 1);

    const resumed = satin('train', recipe, '--out', path, '--resume');
    assert.equal(resumed.status, 0, resumed.stderr);
    assert.deepEqual(outcome(path), outcome(alone));
  });
});

describe('a training run that is killed', () => {
  it('resumes to the same weights to the bit, killed three times', async () => {
    const path = join(folder, 'killed');
    await killAndResume({ recipe, path, kills: 3, seed: 1, longest: 60 });
    assert.deepEqual(outcome(path), outcome(alone));
  });
});
