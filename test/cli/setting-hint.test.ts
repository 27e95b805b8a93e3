/** Flags that people try for settings of recipes lead to `--set`. */
import assert from 'node:assert/strict';
import { after, it } from 'node:test';
import { settingPaths } from '../../src/recipe/setting-paths.js';
import { commandLines } from '../support/command-lines.js';

const lines = commandLines();
after(() => lines.close());

for (const [words, hint] of [
  [['train', 'a.yaml', '--epochs', '3'], '--set training.epochs=3'],
  [['train', 'a.yaml', '--lr=0.1'], '--set training.schedule.learningRate=0.1'],
  [['plan', 'a.yaml', '--batch-size', '64'], '--set training.batch=64'],
  [['train', 'a.yaml', '--weight-decay', '--resume'], '--set training.optimizer.weightDecay=VALUE'],
  [['train', 'a.yaml', '--training.attack.steps', '7'], '--set training.attack.steps=7'],
] as const)
  it(`${words.join(' ')} is refused with ${hint}`, async () => {
    const { status, stderr, engineLoaded } = await lines.run(words);
    const flag = words[2].replace(/=.*/, '');
    assert.equal(stderr, `satin: Unknown option '${flag}'. Use ${hint} in its place.\n`);
    assert.deepEqual([status, engineLoaded], [2, false]);
  });

it('other flags, and commands without --set, keep the nearest flag', async () => {
  const typo = await lines.run(['train', 'a.yaml', '--smok']);
  assert.equal(typo.stderr, "satin: Unknown option '--smok'. Did you mean --smoke?\n");
  const other = await lines.run(['evaluate', 'runs/a', '--epochs', '3']);
  assert.doesNotMatch(other.stderr, /--set/);
});

it('every name that is led to is a setting', async () => {
  const paths = settingPaths();
  assert.equal(new Set(paths).size, paths.length);
  for (const path of ['training.epochs', 'data.size', 'training.batchNorm.ghost', 'model.normalise.mean'])
    assert.ok(paths.includes(path), path);
  for (const flag of ['lr', 'eps', 'model', 'data', 'loss', 'scheduler', 'steps', 'dataset', 'examples']) {
    const { stderr } = await lines.run(['train', 'a.yaml', `--${flag}`, '1']);
    const [, path] = /--set ([\w.]+)=1/.exec(stderr) ?? [];
    assert.ok(path !== undefined && paths.includes(path), `${flag}: ${stderr}`);
  }
});
