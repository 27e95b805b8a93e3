/** `satin train --dry-run` says what would happen and does nothing; of a sweep it lists the runs. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { loadRecipe } from '../../src/recipe/load-recipe.js';
import { commandLines } from '../support/command-lines.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-dry-run-'));
const lines = commandLines();
after(() => {
  lines.close();
  rmSync(folder, { recursive: true });
});
const out = join(folder, 'run');
const dry = (...words: string[]) =>
  lines.run(['train', 'fashion-mnist-silu', '--dry-run', '--out', out, ...words]);

it('a dry run prints steps and the complete recipe, which is a recipe again, and makes nothing', async () => {
  const set = ['training.epochs=2', 'training.epochSteps=null', 'threat.epsilon=8/255'];
  const { status, stdout, stderr, engineLoaded } = await dry(...set.flatMap((each) => ['--set', each]));
  assert.equal(status, 0, stderr);
  assert.ok(!engineLoaded && !existsSync(out));
  assert.match(stdout, /^# would train into .*run:\n# 906 steps of 128 images, of 58000, in 2 epochs;\n/);
  assert.match(stdout, /\n# after each, 500 of 2000 validation images are attacked by pgd-10\n/);
  assert.match(stderr, /With 2 epochs in place of \d+, training\.schedule\.warmup is/);
  const again = join(folder, 'again.yaml');
  writeFileSync(again, stdout);
  assert.deepEqual(loadRecipe(again), loadRecipe('fashion-mnist-silu', { set }));
});

it('it refuses what training would refuse before its first step', async () => {
  const large = await dry('--set', 'training.batch=60000');
  assert.match(large.stderr, /a batch of at most 58000, the training images/);
  const taken = await lines.run(['train', 'fashion-mnist-silu', '--dry-run', '--out', folder]);
  assert.match(taken.stderr, /does not exist yet/);
  assert.deepEqual([large.status, taken.status], [2, 2]);
});

it('a dry run of lists of values is the list of their runs, and --resume needs one that was begun', async () => {
  const lists = ['--set', 'training.epochs=2,3', '--set', 'model.activation=relu,softplus(10)'];
  const { status, stdout, stderr, engineLoaded } = await dry(...lists);
  assert.equal(status, 0, stderr);
  assert.ok(!engineLoaded && !existsSync(out));
  const [title, ...runs] = stdout.trim().split('\n');
  assert.match(title!, /^4 runs, \d+ steps, into .*run:$/);
  assert.deepEqual(
    runs.map((line) => line.replaceAll(/ +/g, ' ').replace(/ \d+ steps/, '')),
    [
      'epochs=2,activation=relu 2 epochs would be trained',
      'epochs=2,activation=softplus-10 2 epochs would be trained',
      'epochs=3,activation=relu 3 epochs would be trained',
      'epochs=3,activation=softplus-10 3 epochs would be trained',
    ],
  );
  const begun = await dry(...lists, '--resume');
  assert.match(begun.stderr, /Expected the folder of a run for --resume/);
  const taken = await lines.run(['train', 'fashion-mnist-silu', '--dry-run', '--out', folder, ...lists]);
  assert.match(taken.stderr, /does not exist yet/);
  const head = await dry(...lists, '--new-head');
  assert.match(head.stderr, /Expected --init for --new-head/);
  assert.deepEqual([begun.status, taken.status, head.status], [2, 2, 2]);
});
