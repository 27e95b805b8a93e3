/** What a plan counts is what training loads. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import sharp from 'sharp';
import { plan } from '../../../src/app/plan/plan.js';
import { trainingSetSize } from '../../../src/app/plan/training-set-size.js';
import { loadTrainingData } from '../../../src/app/train/training-data.js';
import { loadRecipe } from '../../../src/recipe/load-recipe.js';

const root = mkdtempSync(join(tmpdir(), 'satin-plan-'));
after(() => rmSync(root, { recursive: true }));

const png = await sharp({ create: { height: 2, width: 2, channels: 3, background: 'red' } })
  .png()
  .toBuffer();

/** A folder with so many images in each folder of a class. */
function folderOf(name: string, counts: Readonly<Record<string, number>>): string {
  for (const [folder, count] of Object.entries(counts)) {
    mkdirSync(join(root, name, folder), { recursive: true });
    for (let at = 0; at < count; at++) writeFileSync(join(root, name, folder, `${at}.png`), png);
  }
  return join(root, name);
}

for (const [what, counts, set] of [
  ['a folder of classes, of which a tenth is for the test', { ant: 30, bee: 45 }, []],
  ['no validation', { ant: 30, bee: 45 }, ['data.validation=0']],
  ['fewer examples', { ant: 30, bee: 45 }, ['data.examples=20']],
  ['a folder of splits', { 'train/ant': 20, 'train/bee': 20, 'test/ant': 3, 'test/bee': 3 }, []],
  [
    'a folder with its own validation',
    { 'train/ant': 20, 'train/bee': 20, 'val/ant': 3, 'val/bee': 4, 'test/ant': 1, 'test/bee': 1 },
    [],
  ],
] as const)
  test(`the size of a training set is that of what training loads: ${what}`, async () => {
    const dir = folderOf(what.replaceAll(' ', '-'), counts);
    const recipe = loadRecipe('cifar10-silu', {
      set: [
        `data={ name: folder, dir: "${dir}", size: [2, 2], validation: 0.1 }`,
        ...set,
        'training.batch=4',
      ],
    });
    const { training, validation, shape, classes } = await trainingSetSize(recipe);
    const loaded = await loadTrainingData(recipe);
    assert.ok('ids' in loaded.training);
    assert.equal(training, loaded.training.ids.length);
    assert.equal(validation, loaded.validation?.ids.length ?? 0);
    assert.deepEqual([...shape], [...loaded.training.shape]);
    assert.equal(classes, 2);
  });

for (const [name, set, message] of [
  ['fashion-mnist-silu', ['data.validation=0.000008'], /at least one of the 60000 training examples/],
  ['fashion-mnist-silu', ['data.validation=60000'], /a whole number of examples from 0 to 59990/],
] as const)
  test(`a plan refuses a validation split that training could not take: ${set}`, async () => {
    await assert.rejects(trainingSetSize(loadRecipe(name, { set })), message);
  });

test('a plan refuses a share of a folder that is no image, as training does', async () => {
  const dir = folderOf('few', { ant: 3, bee: 3 });
  const recipe = loadRecipe('cifar10-silu', {
    set: [`data={ name: folder, dir: "${dir}", size: [2, 2], validation: 0.1 }`, 'training.batch=4'],
  });
  for (const refused of [() => trainingSetSize(recipe), () => loadTrainingData(recipe)])
    await assert.rejects(refused, /at least one of the 4 training examples .* received 0\.1\./);
});

test('a plan refuses a batch of more images than training has, as training does', async () => {
  const dir = folderOf('small', { ant: 10, bee: 10 });
  const recipe = loadRecipe('cifar10-silu', {
    set: [`data={ name: folder, dir: "${dir}", size: [2, 2], validation: 2 }`, 'training.batch=17'],
  });
  const sentence =
    /Expected a batch of at most 16, the training images, for training\.batch but received 17\./;
  await assert.rejects(loadTrainingData(recipe), sentence);
  await assert.rejects(plan(recipe, { device: 'v100' }), sentence);
});
