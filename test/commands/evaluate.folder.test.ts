/** Folders of images on the command line: what is odd about them reaches the terminal, the run, the JSON and the reports. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import type { EvaluationResult } from '../../src/evaluation/result.js';
import { readEvents } from '../../src/runs/event-log.js';
import { commandLines } from '../support/command-lines.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-folders-'));
const lines = commandLines();
after(() => {
  lines.close();
  rmSync(folder, { recursive: true });
});
const place = (...names: string[]) => join(folder, ...names);
const script = fileURLToPath(new URL('../../../test/golden/torchscript/three-classes.pt', import.meta.url));

function write(path: string, bytes: Uint8Array | string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
}

/** A grey image of a size, with a line whose place tells the number. */
function picture(number: number, height = 8, width = 8): Promise<Buffer> {
  const pixels = Uint8Array.from({ length: height * width }, (_, at) => (at * 37 + number * 11) % 256);
  return sharp(pixels, { raw: { height, width, channels: 1 } })
    .png()
    .toBuffer();
}

const common = ['--norm', 'linf', '--epsilon', '0.1', '--attack', 'fgsm', '--threads', '1', '--batch', '8'];

async function evaluate(...words: readonly string[]) {
  const json = place('result.json');
  rmSync(json, { force: true });
  const { status, stderr } = await lines.run(['evaluate', ...words, '--json', json]);
  const result = existsSync(json) ? (JSON.parse(readFileSync(json, 'utf8')) as EvaluationResult) : null;
  return { status, stderr, result };
}

describe('what is odd about a folder', async () => {
  const dir = place('odd');
  for (const name of ['ant', 'bee', 'cow'])
    for (let at = 0; at < 6; at++) write(join(dir, 'train', name, `${at}.png`), await picture(at));
  for (const name of ['ant', 'cow']) write(join(dir, 'test', name, '0.png'), await picture(1));
  write(join(dir, 'train', 'ant', 'a\x1b[31m.heic'), 'x');
  const recipe = {
    name: 'odd',
    data: { name: 'folder', dir, size: [8, 8], validation: 0 },
    model: { name: 'resnet8', width: 0.25, activation: 'silu' },
    threat: { norm: 'linf', epsilon: 0.1 },
    training: {
      objective: 'pgd',
      attack: { steps: 1 },
      epochs: 1,
      batch: 4,
      schedule: { name: 'constant', learningRate: 0.1 },
    },
    threads: 1,
  };
  write(place('odd.json'), JSON.stringify(recipe));
  const trained = await lines.run(['train', place('odd.json'), '--out', place('run')]);
  const skipped = /Skipped 1 file .*train in formats that are not read \(\.heic\): ant\/a\\x1b\[31m\.heic/;
  const lacking = /1 class of the 3 of .*train has no images in .*test: bee/;

  it('is told before training, on the terminal and in the events, with controls spelled out', () => {
    assert.equal(trained.status, 0, trained.stderr);
    const warnings = readEvents(place('run')).flatMap((event) =>
      event.type === 'warning' ? [event.message] : [],
    );
    assert.equal(warnings.length, 2);
    for (const [at, said] of [skipped, lacking].entries()) {
      assert.match(warnings[at]!, said);
      assert.match(trained.stderr, said);
    }
    assert.ok(!trained.stderr.includes('\x1b'));
    assert.match(trained.stderr, /Warning: [\s\S]* epoch /, 'before the first epoch');
  });

  it('is told in the JSON, on the terminal and on the page of an evaluation, also of one that is kept and resumed', async () => {
    const { stderr, result } = await evaluate(
      place('run'),
      ...common,
      '--save-adversarial',
      place('kept'),
      '--report',
      place('page.html'),
      '--curve-examples',
      '0',
    );
    assert.equal(result!.warnings.length, 1);
    assert.match(result!.warnings[0]!, lacking);
    assert.match(stderr, lacking);
    assert.deepEqual(
      result!.perClass.map(({ label, class: name }) => [label, name]),
      [
        [0, 'ant'],
        [2, 'cow'],
      ],
    );
    assert.match(readFileSync(place('page.html'), 'utf8'), lacking);
    assert.deepEqual(
      (await evaluate(place('run'), '--resume', place('kept'))).result!.warnings,
      result!.warnings,
    );
  });

  it('is told on the report of the run, of training and evaluation', async () => {
    const { status, stderr } = await lines.run([
      'report',
      place('run'),
      '--out',
      place('report.html'),
      '--attack',
      'fgsm',
    ]);
    assert.equal(status, 0, stderr);
    const page = readFileSync(place('report.html'), 'utf8');
    assert.match(page, lacking);
    assert.match(page, skipped);
  });
});

describe('a model that does not tell its form', async () => {
  const names = ['c1', 'c2', 'c10'];
  for (const [at, name] of names.entries())
    write(place('sizes', 'test', name, 'x.png'), await picture(at, 8 + (at % 3), 9));
  const words = [script, '--data', 'folder', '--data-dir', place('sizes'), ...common];

  it('takes the stated size, number of channels and rule', async () => {
    const without = await evaluate(...words);
    assert.equal(without.status, 2);
    assert.match(without.stderr, /Say to which size all images are brought \(data\.size, or --shape\)/);
    const crop = await evaluate(...words, '--shape', '1x8x8', '--resize', 'crop');
    const pad = await evaluate(...words, '--shape', '1x8x8', '--resize', 'pad');
    assert.deepEqual([crop.status, pad.status], [0, 0], `${crop.stderr}${pad.stderr}`);
    assert.notEqual(crop.result!.pixelsDigest, pad.result!.pixelsDigest);
    assert.equal(
      (await evaluate(...words, '--shape', '1x8x8')).result!.pixelsDigest,
      crop.result!.pixelsDigest,
    );
  });

  it('is warned of classes that are sorted as text, unless their order is stated', async () => {
    const sorted = await evaluate(...words, '--shape', '1x8x8');
    const said = /sorted as text: c1, c10, c2, so that label 1 is c10 and not c2\..* by/;
    assert.match(sorted.stderr, new RegExp(`Warning: .*${said.source} --classes\\.`));
    assert.match(sorted.result!.warnings.join(), said);
    const stated = await evaluate(...words, '--shape', '1x8x8', '--classes', names.join());
    assert.deepEqual(stated.result!.warnings, []);
    const labels = ({ result }: { readonly result: EvaluationResult | null }) =>
      Object.fromEntries(result!.perClass.map(({ class: name, label }) => [name, label]));
    assert.equal(labels(sorted).c10, 1);
    assert.deepEqual(labels(stated), Object.fromEntries(names.map((name, at) => [name, at])));
    const unknown = await evaluate(
      ...words,
      '--shape',
      '1x8x8',
      '--classes',
      [...names.slice(1), 'd1'].join(),
    );
    assert.match(unknown.stderr, /only the model's 3 classes .* 1 other as well \(c1\)\. Did you mean/);
  });
});

describe('a folder of some of the classes of a model, under other names,', async () => {
  // Class 1 is bright.
  const brightness = fileURLToPath(
    new URL('../../../test/golden/torchscript-kinds/detached.pt', import.meta.url),
  );
  const evenly = (byte: number) =>
    sharp(new Uint8Array(64).fill(byte), { raw: { height: 8, width: 8, channels: 1 } })
      .png()
      .toBuffer();
  for (let at = 0; at < 4; at++) {
    write(place('light', 'test', 'a bright', `${at}.png`), await evenly(200 + at));
    write(place('light', 'test', 'b dark', `${at}.png`), await evenly(40 + at));
  }
  const words = ['--data', 'folder', '--data-dir', place('light'), '--shape', '1x8x8'];
  const mapped = (model: string, map: string, ...more: readonly string[]) => {
    write(place('map.yaml'), map);
    return evaluate(model, ...words, ...common, '--class-map', place('map.yaml'), ...more);
  };
  const square = ['--norm', 'linf', '--epsilon', '0.01', '--attack', 'square', '--threads', '1'];

  it('has the labels of the map, which a model that knows them confirms', async () => {
    write(place('map.yaml'), 'a bright: 1\nb dark: 0\n');
    const map = ['--class-map', place('map.yaml')];
    const without = await evaluate(brightness, ...words, ...square);
    assert.equal(without.result!.clean, 0, without.stderr);
    const page = ['--report', place('light.html')];
    const { result, stderr } = await evaluate(brightness, ...words, ...square, ...map, ...page);
    assert.equal(result!.clean, 1);
    const said =
      /By the class map, the classes of folder:test are these of the model: a bright → 1, b dark → 0\./;
    assert.match(stderr, said);
    assert.equal(stderr.match(/detached\.pt is a program: before any of it runs,/g)?.length, 1);
    assert.match(result!.warnings.join('\n'), said);
    assert.match(readFileSync(place('light.html'), 'utf8'), said);
  });

  it('is mapped to names and indices of a model with more classes', async () => {
    const byIndex = await mapped(script, 'a bright: 2\nb dark: 0\n');
    const labels = ({ result }: typeof byIndex) =>
      result!.perClass.map(({ label, class: name }) => [label, name]);
    assert.deepEqual(labels(byIndex), [
      [0, '0'],
      [2, '2'],
    ]);
    assert.match(byIndex.result!.warnings[1]!, /^1 class of the model's 3 is not among those/);
    const names = 'p,q,r';
    const byName = await mapped(script, 'a bright: r\nb dark: p\n', '--classes', names);
    assert.deepEqual(labels(byName), [
      [0, 'p'],
      [2, 'r'],
    ]);
    const verdicts = ({ result }: typeof byIndex) =>
      result!.perExample.map(({ predicted: _, attacked: __, ...verdict }) => verdict);
    assert.deepEqual(verdicts(byName), verdicts(byIndex));
    const predicted = ({ result }: typeof byIndex) => result!.perExample.map((each) => each.predicted);
    assert.deepEqual(
      predicted(byName),
      predicted(byIndex).map((index) => names.split(',')[Number(index)]),
    );
    assert.equal(byName.result!.pixelsDigest, byIndex.result!.pixelsDigest);
  });

  it('is refused where a name matches nothing, before the images are attacked', async () => {
    const refused = async (map: string, sentence: RegExp, ...more: readonly string[]) => {
      const { status, stderr, result } = await mapped(script, map, ...more);
      assert.match(stderr, sentence);
      assert.deepEqual([status, result], [2, null]);
    };
    await refused('a bright: 3\nb dark: 0\n', /0 to 2, for 'a bright' in --class-map but received 3/);
    await refused('a brigth: 1\nb dark: 0\n', /line for 'a bright' .*Did you mean 'a bright' by 'a brigth'/);
    await refused('a bright: on\nb dark: 0\n', /state their names by --classes/);
    await refused('- 1\n', /such as cat: 281/);
  });

  it('needs no map where it has the names of the model', async () => {
    const names = ['n01', 'b dark', 'a bright'];
    const { result } = await evaluate(script, ...words, ...common, '--classes', names.join());
    assert.deepEqual(
      result!.perClass.map(({ label, class: name }) => [label, name]),
      [
        [1, 'b dark'],
        [2, 'a bright'],
      ],
    );
    const imagenet = await evaluate(script, ...words, ...common, '--classes', 'imagenet');
    assert.match(imagenet.stderr, /only the model's 1000 classes .*2 others as well \(a bright, b dark\)/);
  });

  it('is kept with its labels, and resumed without the map', async () => {
    const kept = await mapped(script, 'a bright: 2\nb dark: 0\n', '--save-adversarial', place('mapped'));
    const again = await evaluate(script, '--resume', place('mapped'));
    assert.deepEqual(again.result!.perExample, kept.result!.perExample);
    assert.deepEqual(again.result!.warnings, kept.result!.warnings);
    assert.ok(kept.result!.warnings[0]!.startsWith('By the class map'));
  });
});

describe('broken images of a folder', async () => {
  const dir = place('broken');
  for (const name of ['ant', 'bee'])
    for (let at = 0; at < 3; at++) write(join(dir, 'test', name, `${at}.png`), await picture(at));
  write(join(dir, 'test', 'ant', '1.png'), (await picture(1)).subarray(0, 60));
  write(join(dir, 'test', 'bee', '0.png'), 'no picture');
  const words = [
    script,
    '--data',
    'folder',
    '--data-dir',
    dir,
    '--shape',
    '1x8x8',
    '--classes',
    'ant,bee,cow',
  ];

  it('are refused by an evaluation, all of them named, with the option that leaves them out', async () => {
    for (const more of [[], ['--broken', 'refuse']]) {
      const { status, stderr, result } = await evaluate(...words, ...common, ...more);
      assert.match(stderr, /2 broken ones of 6: .*ant\/1\.png .*bee\/0\.png .*--broken skip/);
      assert.deepEqual([status, result], [2, null]);
    }
  });

  it('are left out on request, counted and named on the terminal and in the JSON; ids are those of the folder', async () => {
    const { result, stderr } = await evaluate(...words, ...common, '--broken', 'skip');
    const said = /Left out 2 broken images of 6: .*ant\/1\.png .*bee\/0\.png/;
    assert.match(result!.warnings.join('\n'), said);
    assert.match(stderr, said);
    assert.deepEqual(
      result!.perExample.map(({ id, label }) => [id, label]),
      [
        [0, 0],
        [2, 0],
        [4, 1],
        [5, 1],
      ],
    );
  });

  it('are left out of the report of runs on request', async () => {
    const cut = place('run of a cut folder');
    const own = place('cut');
    for (const name of ['ant', 'bee'])
      for (let at = 0; at < 4; at++)
        for (const split of ['train', 'test']) write(join(own, split, name, `${at}.png`), await picture(at));
    const recipe = {
      name: 'cut',
      data: { name: 'folder', dir: own, size: [8, 8], validation: 0 },
      model: { name: 'resnet8', width: 0.25, activation: 'silu' },
      threat: { norm: 'linf', epsilon: 0.1 },
      training: {
        objective: 'clean',
        epochs: 1,
        batch: 4,
        schedule: { name: 'constant', learningRate: 0.1 },
      },
      threads: 1,
    };
    write(place('cut.json'), JSON.stringify(recipe));
    assert.equal((await lines.run(['train', place('cut.json'), '--out', cut])).status, 0);
    write(join(own, 'test', 'ant', '1.png'), 'no picture');
    const report = (...more: readonly string[]) =>
      lines.run(['report', cut, '--out', place('cut.html'), '--attack', 'fgsm', ...more]);
    const refused = await report();
    assert.match(refused.stderr, /ant\/1\.png .*--broken skip/);
    assert.equal(refused.status, 2);
    const { status, stderr } = await report('--broken', 'skip');
    assert.equal(status, 0, stderr);
    assert.match(readFileSync(place('cut.html'), 'utf8'), /Left out 1 broken image of 8: .*ant\/1\.png/);
  });
});
