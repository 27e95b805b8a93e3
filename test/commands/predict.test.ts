/** `satin predict` goes on past what it cannot read, and takes every model that can be evaluated. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { commandLines } from '../support/command-lines.js';
import { tinyRecipe, writeTinyMnist } from '../support/tiny-run.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-predict-'));
const lines = commandLines();
after(() => {
  lines.close();
  rmSync(folder, { recursive: true });
});
const place = (...names: string[]) => join(folder, ...names);
const predict = (...words: readonly string[]) => lines.run(['predict', ...words, '--threads', '1']);

const good = ['one.png', 'two.png'].map((name) => place(name));
for (const [at, file] of good.entries())
  await sharp(new Uint8Array(64).fill(40 + 150 * at), { raw: { height: 8, width: 8, channels: 1 } })
    .png()
    .toFile(file);
writeFileSync(place('broken.jpg'), 'garbage');
writeTinyMnist(place('mnist'));
const recipe = tinyRecipe(place('mnist'));
writeFileSync(place('tiny.json'), JSON.stringify({ ...recipe, training: { ...recipe.training, epochs: 2 } }));
const run = place('run');
const trained = await lines.run(['train', place('tiny.json'), '--out', run]);

describe('satin predict', () => {
  it('classifies what it can read, names the rest, and ends with 1', async () => {
    assert.equal(trained.status, 0, trained.stderr);
    const words = [good[0]!, place('broken.jpg'), place('nowhere.png'), good[1]!];
    const { status, stdout, stderr } = await predict(run, ...words, '--json', '-');
    assert.equal(status, 1, stderr);
    const { images, warnings } = JSON.parse(stdout);
    assert.deepEqual(
      images.map(({ image }: { image: string }) => image),
      good,
    );
    assert.match(warnings[0], /^Left out what is no file: .*nowhere\.png\.$/);
    assert.match(warnings[1], /^Left out 1 broken image of 3: .*broken\.jpg \(.* no known format/);
    assert.match(stderr, /2 of 4 images could not be read; the others were classified\.\n$/);
    const alone = JSON.parse((await predict(run, ...good, '--json', '-')).stdout);
    assert.deepEqual(alone.images, images);
    assert.deepEqual(alone.warnings, []);
  });

  it('refuses where nothing can be read, with the reason', async () => {
    const broken = await predict(run, place('broken.jpg'), place('nowhere.png'));
    assert.deepEqual([broken.status, broken.stdout], [2, '']);
    assert.match(broken.stderr, /broken\.jpg but received a broken one/);
    const missing = await predict(run, place('nowhere.png'));
    assert.match(missing.stderr, /The file does not exist/);
  });

  it('takes TorchScript and weights of another program, and says what they do not tell', async () => {
    const script = place('run.pt');
    const weights = place('run.safetensors');
    for (const [format, out] of [
      ['torchscript', script],
      ['safetensors', weights],
    ] as const)
      assert.equal((await lines.run(['export', run, '--format', format, '--out', out])).status, 0);
    const answers = async (...words: readonly string[]) => {
      const { status, stdout, stderr } = await predict(...words, ...good, '--json', '-');
      assert.equal(status, 0, stderr);
      return JSON.parse(stdout).images.map(
        ({ predictions: [best] }: { predictions: { class: string; probability: number }[] }) =>
          `${best!.class} ${best!.probability.toFixed(3)}`,
      );
    };
    const expected = await answers(run);
    assert.deepEqual(await answers(weights), expected);
    assert.deepEqual(await answers(script), expected, 'it says its shape and its classes');
    assert.deepEqual(await answers(script, '--shape', '1x8x8', '--classes', '0,1,2,3,4,5,6,7,8,9'), expected);
    const foreign = fileURLToPath(new URL('../../../test/golden/small.safetensors', import.meta.url));
    const foreignScript = fileURLToPath(
      new URL('../../../test/golden/torchscript/flat-28.pt', import.meta.url),
    );
    for (const [model, sentence] of [
      [
        foreignScript,
        /for --shape but nothing was given\. A TorchScript file does not contain its input shape/,
      ],
      [foreign, /--architecture, --activation, --classes, --shape and --width/],
    ] as const) {
      const refused = await predict(model, good[0]!);
      assert.match(refused.stderr, sentence);
      assert.equal(refused.status, 2);
    }
  });
});
