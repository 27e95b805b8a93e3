/** `satin init`: from a folder of images to a recipe that trains as it is written. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import sharp from 'sharp';
import { trainingSetSize } from '../../src/app/plan/training-set-size.js';
import { suggestRecipe } from '../../src/app/suggest-recipe.js';
import { loadRecipe } from '../../src/recipe/load-recipe.js';
import { schemaLine } from '../../src/recipe/schema-line.js';
import { commandLines } from '../support/command-lines.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-init-'));
const lines = commandLines();
after(() => {
  lines.close();
  rmSync(folder, { recursive: true });
});
const place = (...names: string[]) => join(folder, ...names);

/** A folder with images of a size in each folder. */
async function write(
  name: string,
  [height, width]: readonly [number, number],
  counts: Record<string, number>,
) {
  for (const [at, [own, count]] of Object.entries(counts).entries()) {
    const background = { r: 90 * at, g: 100, b: 50 };
    const png = await sharp({ create: { height, width, channels: 3, background } })
      .png()
      .toBuffer();
    mkdirSync(place(name, own), { recursive: true });
    for (let each = 0; each < count; each++) writeFileSync(place(name, own, `${each}.png`), png);
  }
}

await write('my photos', [16, 24], { ant: 30, bee: 30 });
await write('large', [300, 200], { 'train/a': 12, 'train/b': 12, 'test/a': 3, 'test/b': 3 });
await write('tiny', [9, 9], { x: 4, y: 4, z: 4 });

for (const [name, size] of [
  ['my photos', 16],
  ['large', 64],
  ['tiny', 8],
] as const)
  it(`${name}: the recipe is valid, and counts the images as training does`, async () => {
    const out = place(`${name}.yaml`);
    const { status, stdout, stderr } = await lines.run(['init', place(name), '--out', out]);
    assert.equal(status, 0, stderr);
    const recipe = loadRecipe(out);
    assert.deepEqual(recipe.data.name === 'folder' && recipe.data.size, [size, size]);
    const { training, validation } = await trainingSetSize(recipe);
    assert.ok(recipe.training.batch <= training);
    assert.match(stdout, new RegExp(`for ${training} images .* with ${validation} for validation and \\d+`));
    const text = readFileSync(out, 'utf8');
    assert.match(text, new RegExp(`^# ${training} images of \\d classes`));
    assert.ok(text.includes(`\n${schemaLine(out)}\nname: `));
  });

it('the recipe trains as it is written', async () => {
  const words = ['train', place('my photos.yaml'), '--smoke', '--threads', '1', '--out', place('run')];
  const { status, stderr } = await lines.run(words);
  assert.equal(status, 0, stderr);
});

it('what it only mentions is valid too', () => {
  const text = readFileSync(place('large.yaml'), 'utf8');
  const mentioned = place('mentioned.yaml');
  const changed = text.replaceAll(/^( *)# (classWeights|patience): /gm, '$1$2: ');
  writeFileSync(mentioned, changed);
  const { training } = loadRecipe(mentioned);
  assert.equal(training.classWeights, 'balanced');
  assert.ok(training.patience !== null && training.patience < training.epochs);
});

it('nothing is overwritten, and a folder that is none is refused', async () => {
  const again = await lines.run(['init', place('tiny'), '--out', place('tiny.yaml')]);
  assert.match(again.stderr, /does not exist yet for the recipe/);
  assert.equal(again.status, 2);
  const none = await lines.run(['init', place('nowhere'), '--out', place('none.yaml')]);
  assert.match(none.stderr, /nowhere/);
  assert.equal(none.status, 2);
});

it('the length of the training follows the number of images', () => {
  const facts = { classes: ['a', 'b'], side: 32, warnings: [] };
  const epochs = (training: number) =>
    Number(
      /epochs: (\d+)/.exec(
        suggestRecipe(
          'a',
          { ...facts, images: { training, validation: 9, test: 9 } },
          { usage: [], schemaLine: '#' },
        ),
      )![1],
    );
  assert.deepEqual([epochs(100), epochs(6400), epochs(1e6)], [100, 30, 10]);
});
