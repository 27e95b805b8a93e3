/** `satin attack`: what it writes, that its numbers are true, and what it refuses. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { pictureNames } from '../../src/app/attack/write-folder.js';
import { readModel } from '../../src/app/model/checkpoint-model.js';
import { trainRun } from '../../src/app/train/train-run.js';
import { columns, shortened } from '../../src/cli/terminal/columns.js';
import { decodeImages } from '../../src/data/decode-image.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { parseRecipe } from '../../src/recipe/recipe.js';
import type { AttackedPictures } from '../../src/report/attack/result.js';
import { distance } from '../../src/report/page/format.js';
import { tensor } from '../../src/tensor/create.js';
import { softmax } from '../../src/tensor/functional.js';
import { noGrad } from '../../src/tensor/gradient.js';
import { scope } from '../../src/tensor/scope.js';
import { readSafetensors } from '../../src/weights/safetensors.js';
import { commandLines } from '../support/command-lines.js';
import { tinyRecipe, writeTinyMnist } from '../support/tiny-run.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-attack-'));
after(() => rmSync(folder, { recursive: true }));
const place = (...names: string[]) => join(folder, ...names);
const lines = commandLines();
after(() => lines.close());
setThreads(1);

writeTinyMnist(place('mnist'));
const tiny = tinyRecipe(place('mnist'));
const schedule = { name: 'one-cycle', learningRate: 0.1, warmup: 3 };
const recipe = parseRecipe(
  {
    ...tiny,
    data: { name: 'mnist', dir: place('mnist'), validation: 32 },
    training: { objective: 'clean', epochs: 15, batch: 16, schedule },
  },
  'the tiny recipe',
);
const run = place('run');
await trainRun({ recipe, path: run, resume: false, interrupted: () => false, onEvent: () => {} });

/** Pictures like those of the training set: a bright row or column, by class; larger than the model takes. */
for (const label of [1, 3, 7]) {
  const pixels = Uint8Array.from({ length: 64 }, (_, at) => {
    const line = label < 5 ? at >> 3 : at & 7;
    return ((at * 53) % 64) + (line === 1 + (label % 5) ? 150 : 0);
  });
  await sharp(pixels, { raw: { width: 8, height: 8, channels: 1 } })
    .resize(16, 16, { kernel: 'nearest' })
    .png()
    .toFile(place(`digit ${label}.png`));
}
const files = [1, 3, 7].map((label) => place(`digit ${label}.png`));

const attack = (...words: string[]) => lines.run(['attack', run, ...words, '--threads', '1']);
const weak = await attack(...files, '--epsilon', '1/255', '--attack', 'pgd-5', '--out', place('weak'));
const strong = await attack(...files, '--epsilon', '60/255', '--attack', 'pgd-20', '--out', place('strong'));
const resultOf = (name: string): AttackedPictures =>
  JSON.parse(readFileSync(place(name, 'attack.json'), 'utf8'));

/** Class and probability, by nothing but the model and a file. */
function said(pixels: Float32Array) {
  const { model } = readModel(run);
  try {
    return scope(() => {
      const x = tensor(pixels, [pixels.length / 64, 1, 8, 8]);
      // Two of each: a batch of one is rounded otherwise.
      const { values, indices } = noGrad(() => softmax(model.classify(x)).topk(1));
      const [probabilities, labels] = [values.numbers(), indices.numbers()];
      return Array.from(labels, (label, at) => ({
        class: model.description.classes[label]!,
        probability: probabilities[at]!,
      }));
    });
  } finally {
    model.dispose();
  }
}

describe('satin attack', () => {
  it('ends well, and writes three PNGs a picture, a page, the numbers and the exact images', () => {
    for (const { status, stderr } of [weak, strong]) assert.equal(status, 0, stderr);
    const pngs = [1, 3, 7].flatMap((label) =>
      ['adversarial', 'change', 'original'].map((kind) => `digit ${label}-${kind}.png`),
    );
    assert.deepEqual(
      readdirSync(place('strong')).sort(),
      ['adversarial.safetensors', 'attack.json', 'index.html', ...pngs].sort(),
    );
  });

  it('withstands a weak attack and is fooled by a strong one, and the table says so', () => {
    const outcomes = (name: string) => resultOf(name).images.map(({ outcome }) => outcome);
    assert.deepEqual(outcomes('weak'), ['stood', 'stood', 'stood']);
    assert.deepEqual(outcomes('strong'), ['broken', 'broken', 'broken']);
    assert.match(weak.stdout, /pgd-5, L∞, ε\s=\s1\/255/);
    assert.equal(weak.stdout.match(/withstood/g)?.length, 3);
    assert.equal(strong.stdout.match(/fooled, PNG (too|not)/g)?.length, 3);
    for (const line of strong.stdout.split('\n').slice(0, -3)) assert.ok(line.length <= 80, line);
  });

  it('keeps images that lie in ball and box, with the answers that it tells', () => {
    const { arrays } = readSafetensors(place('strong', 'adversarial.safetensors'));
    const array = (name: string) => arrays.find((each) => each.name === name)!;
    const images = new Float32Array(array('images').bytes.buffer, array('images').bytes.byteOffset, 3 * 64);
    const originals = Float32Array.from(array('originals').bytes, (byte) => byte / 255);
    const result = resultOf('strong');
    const [before, after] = [said(originals), said(images)];
    for (const [at, picture] of result.images.entries()) {
      const changes = Array.from({ length: 64 }, (_, pixel) =>
        Math.abs(images[at * 64 + pixel]! - originals[at * 64 + pixel]!),
      );
      assert.ok(Math.abs(Math.max(...changes) - picture.distance) < 1e-6);
      assert.ok(picture.distance <= 60 / 255 + 1e-6 && picture.distance > 50 / 255);
      for (const [told, measured] of [
        [picture.before, before[at]!],
        [picture.after, after[at]!],
      ] as const) {
        assert.equal(told.class, measured.class);
        assert.ok(Math.abs(told.probability - measured.probability) < 1e-5);
      }
      assert.equal(picture.label, picture.before.class, 'what the model says counts as right');
    }
    assert.ok(images.every((pixel) => pixel >= 0 && pixel <= 1));
  });

  it('says what the PNG does, as who opens the PNG finds it', async () => {
    const pngs = [1, 3, 7].map((label) => place('strong', `digit ${label}-adversarial.png`));
    const form = { size: [8, 8], channels: 1, resize: 'refuse' } as const;
    const { images: bytes } = await decodeImages({ files: pngs, form });
    const found = said(Float32Array.from(bytes, (byte) => byte / 255));
    for (const [at, { png, label }] of resultOf('strong').images.entries()) {
      assert.equal(png.class, found[at]!.class);
      assert.ok(Math.abs(png.probability - found[at]!.probability) < 1e-5);
      assert.equal(png.fools, found[at]!.class !== label);
    }
  });

  it('makes a page that loads nothing, with a text for every picture', () => {
    const page = readFileSync(place('strong', 'index.html'), 'utf8');
    assert.doesNotMatch(page, /https?:|<script|<link|url\(|NaN|undefined/);
    const [all, described] = [/<img /g, /<img [^>]*alt="[^"]{8,}"/g].map((each) => page.match(each)?.length);
    assert.deepEqual([all, described], [9, 9]);
    assert.equal(page.match(/<table>/g)?.length, page.match(/<table>\s*<caption>/g)?.length);
    assert.match(page, /pgd-20 \(every pixel may change by up to 60\/255\) fooled the model with 3 of 3\./);
    const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    assert.equal(new Set(ids).size, ids.length);
  });

  it('takes a label, and leaves alone what is wrong without an attack', async () => {
    const right = resultOf('weak').images[0]!.label;
    const other = right === '2' ? '4' : '2';
    const words = [files[0]!, '--label', other, '--out', place('labelled'), '--json', '-'];
    const { status, stdout, stderr } = await attack(...words);
    assert.equal(status, 0, stderr);
    const result: AttackedPictures = JSON.parse(stdout);
    assert.deepEqual(result, resultOf('labelled'));
    assert.equal(result.labels, 'given');
    const { label, outcome, before, after, distance } = result.images[0]!;
    assert.deepEqual([label, outcome, distance], [other, 'wrong', 0]);
    assert.deepEqual(before, after);
  });

  it('takes the L2 norm and attacks without a gradient', async () => {
    const threat = ['--norm', 'l2', '--epsilon', '4'];
    const { status, stderr } = await attack(files[1]!, ...threat, '--attack', 'square', '--out', place('l2'));
    assert.equal(status, 0, stderr);
    const { norm, images } = resultOf('l2');
    assert.equal(norm, 'l2');
    assert.equal(images[0]!.outcome, 'broken');
    assert.ok(images[0]!.distance > 0 && images[0]!.distance <= 4 * (1 + 1e-5));
  });

  it('takes a TorchScript file, whose classes are numbers', async () => {
    const script = fileURLToPath(new URL('../../../test/golden/torchscript/flat-28.pt', import.meta.url));
    const threat = ['--norm', 'linf', '--epsilon', '8/255'];
    const words = ['attack', script, ...files, ...threat, '--threads', '1'];
    const { status, stderr } = await lines.run([...words, '--shape', '1x28x28', '--out', place('script')]);
    assert.equal(status, 0, stderr);
    for (const { label } of resultOf('script').images) assert.match(label, /^[01]$/);
    const refused = async (more: readonly string[], sentence: RegExp) => {
      const answer = await lines.run([...words, '--out', place('never'), ...more]);
      assert.match(answer.stderr, sentence);
      assert.equal(answer.status, 2);
    };
    await refused([], /Expected channels .* for --shape but nothing was given\. A TorchScript file/);
    await refused(['--shape', '28x28'], /for --shape but received '28x28'/);
    await refused(['--shape', '1x8x8'], /to run on images of shape/);
    await refused(['--shape', '1x28x28', '--label', 'dog'], /a class of the model \(0, 1\)/);
  });
});

describe('satin attack on a model without a gradient', () => {
  const model = fileURLToPath(new URL('../../../test/golden/torchscript-kinds/detached.pt', import.meta.url));
  const attacked = (name: string, ...words: string[]) => {
    const threat = ['--shape', '1x8x8', '--norm', 'linf', '--epsilon', '120/255', '--threads', '1'];
    return lines.run(['attack', model, files[0]!, ...threat, '--out', place(name), '--json', '-', ...words]);
  };

  it('refuses an attack that follows one, as evaluate does, and writes nothing', async () => {
    for (const name of ['pgd-50', 'fgsm', 'apgd-ce', 'fab']) {
      const { status, stdout, stderr } = await attacked('no-gradient', '--attack', name);
      assert.match(
        stderr,
        new RegExp(`satin: Expected a model with an input gradient, which ${name} follows, but .*detach`),
      );
      assert.deepEqual([status, stdout], [2, '']);
      assert.ok(!readdirSync(folder).includes('no-gradient'));
    }
  });

  it('runs square, which needs none', async () => {
    const { status, stdout, stderr } = await attacked('square', '--attack', 'square');
    assert.equal(status, 0, stderr);
    assert.equal(stderr.match(/detached\.pt is a program/g)?.length, 1);
    assert.deepEqual(JSON.parse(stdout), resultOf('square'));
    assert.doesNotMatch(strong.stderr, /program/);
    assert.equal(resultOf('square').images[0]!.outcome, 'broken');
  });
});

describe('satin attack refuses, with exit code 2 and one sentence,', () => {
  mkdirSync(place('full'));
  writeFileSync(place('full', 'note.txt'), 'mine');
  writeFileSync(place('text.png'), 'no picture');
  const [image] = files;
  const out = ['--out', place('never')];
  const cases: readonly (readonly [what: string, words: readonly string[], sentence: RegExp])[] = [
    ['a folder that holds something', [image!, '--out', place('full')], /folder that is empty .* --out/],
    ['a picture that is none', [place('text.png'), ...out], /Expected an image .*text\.png/],
    ['a picture that is not there', [place('nowhere.png'), ...out], /The file does not exist/],
    ['a folder as a picture', [folder, ...out], /It is not a file/],
    [
      'an unknown class, naming the known',
      [image!, '--label', 'ten', ...out],
      /a class of the model \(0, 1, 2, .* --label but received 'ten'/,
    ],
    ['an unknown attack', [image!, '--attack', 'pdg-50', ...out], /'pdg-50'\. Did you mean 'pgd-50'/],
    ['an ε with a typo', [image!, '--epsilon', '8/25s', ...out], /such as 8\/255 .* --epsilon/],
    ['an ε of 8 in L∞', [image!, '--epsilon', '8', ...out], /Did you mean 8\/255\?/],
    [
      "the paper's attack in L2",
      [image!, '--norm', 'l2', '--epsilon', '1', '--attack', 'pgd-200-paper', ...out],
      /linf/,
    ],
    [
      "an ε of another norm than the run's left out",
      [image!, '--norm', 'l2', ...out],
      /a radius .*--epsilon/,
    ],
    [
      'a shape of a model that says its own',
      [image!, '--shape', '1x8x8', ...out],
      /describes its own network/,
    ],
    [
      'a mean for a model of Satin',
      [image!, '--mean', '0.5', '--std', '0.5', ...out],
      /normalisation is its/,
    ],
    ['no picture', [...out], /Missing required argument 'image'/],
  ];
  for (const [what, words, sentence] of cases)
    it(what, async () => {
      const { status, stdout, stderr } = await attack(...words);
      assert.match(stderr, sentence);
      assert.match(stderr, /^satin: [^\n]+\n$/);
      assert.deepEqual([status, stdout], [2, '']);
      assert.ok(!readdirSync(folder).includes('never'));
      assert.deepEqual(readdirSync(place('full')), ['note.txt']);
    });
});

describe('the table of satin attack', () => {
  it('keeps the end of a long path, and columns in line', () => {
    assert.equal(shortened('pictures/boot.png', 17), 'pictures/boot.png');
    assert.equal(shortened('my/pictures/boot.png', 9), '…boot.png');
    assert.deepEqual(
      columns(
        [
          ['a', 'b'],
          ['ccc', '10'],
        ],
        { right: [1] },
      ),
      ['a     b', 'ccc  10'],
    );
  });

  it('writes a distance as its ε is written', () => {
    assert.equal(distance(8 / 255, { epsilonText: '8/255' }), '8/255');
    assert.equal(distance(0.0999999, { epsilonText: '0.1' }), '0.1');
  });

  it('names the files of two pictures of one name apart', () => {
    assert.deepEqual(pictureNames(['a/boot.jpg', 'b/Boot.png', 'boot-2.png', 'shoe']), [
      'boot',
      'Boot-2',
      'boot-2-2',
      'shoe',
    ]);
  });
});
