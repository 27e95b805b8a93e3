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
