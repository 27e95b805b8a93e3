import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
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
      /\nsatin: Interrupted after step \d+; a checkpoint was written\. Continue with: \.\/satin train \S+interrupted --resume\n$/,
    );
    const stopped = readCheckpoint({ path, names: ['last'] }).progress?.step ?? 0;
    assert.ok(stopped >= 8 && stopped < 24, `stopped after step ${stopped}`);
    assert.equal(readEvents(path).filter(({ type }) => type === 'interrupted').length, 1);

    for (const [words, sentence] of [
      [[], /Expected a recipe, or --resume with the folder of a run,/],
      [['--resume', '--set', 'training.epochs=9'], /Expected no --set for the run/],
      [['--resume', '--out', join(folder, 'other')], /Expected no --out for the run/],
    ] as const) {
      const refused = satin('train', path, ...words);
      assert.equal(refused.status, 2);
      assert.match(refused.stderr, sentence);
    }
    const resumed = satin('train', path, '--resume');
    assert.equal(resumed.status, 0, resumed.stderr);
    assert.deepEqual(outcome(path), outcome(alone));
  });
});

describe('a training run whose output nobody takes any more', () => {
  it('goes on to its end, as behind `| head -1`', async () => {
    const path = join(folder, 'piped');
    const child = spawn(process.execPath, [mainFile, 'train', recipe, '--out', path]);
    child.stdout.destroy();
    child.stderr.once('data', () => child.stderr.destroy());
    const status = await new Promise((resolve) => child.once('close', resolve));
    assert.equal(status, 0);
    assert.deepEqual(outcome(path), outcome(alone));
    assert.ok(!existsSync(join(path, 'lock')));
  });
});

describe('a training run whose folder is removed', () => {
  it('ends in a sentence and writes nothing there', async () => {
    const path = join(folder, 'removed');
    const child = spawn(process.execPath, [mainFile, 'train', recipe, '--out', path]);
    let stderr = '';
    let isGone = false;
    child.stderr.on('data', (data) => {
      stderr += data;
      if (isGone || !/1\/3/.test(stderr)) return;
      isGone = true;
      renameSync(path, join(folder, 'elsewhere')); // at once, whatever is being written
    });
    const status = await new Promise((resolve) => child.once('close', resolve));
    assert.ok(status === 1 || status === 2, stderr);
    assert.match(
      stderr,
      /\nsatin: Expected [^\n]*removed[^\n]* but (its folder[^\n]* was removed|it, or a folder of its path)[^\n]*\n$/,
    );
    assert.ok(!existsSync(path));
  });
});

describe('a training run that is resumed in a mistyped folder', () => {
  it('is refused, unless it may start there', () => {
    const path = join(folder, 'alnoe');
    const refused = satin('train', recipe, '--out', path, '--resume');
    assert.equal(refused.status, 2);
    assert.match(
      refused.stderr,
      /^satin: Expected the folder of a run for --resume but received [^\n]*--resume-or-start/,
    );
    assert.ok(!existsSync(path));
    const started = satin('train', recipe, '--out', path, '--resume-or-start');
    assert.equal(started.status, 0, started.stderr);
    assert.deepEqual(outcome(path), outcome(alone));
  });

  it('says so where there is nothing to resume', () => {
    const { status, stdout } = satin('train', recipe, '--out', alone, '--resume');
    assert.equal(status, 0);
    assert.match(stdout, /^The run is finished already; it was left as it is\.\n/);
  });
});

describe('a training run that is killed', () => {
  it('resumes to the same weights to the bit, killed three times', async () => {
    const path = join(folder, 'killed');
    await killAndResume({ recipe, path, kills: 3, seed: 1, longest: 60 });
    assert.deepEqual(outcome(path), outcome(alone));
  });
});
