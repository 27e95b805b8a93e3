/** An evaluation of a folder of one's own images says which of them it measured, and what became of each. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import sharp from 'sharp';
import type { EvaluationResult } from '../../src/evaluation/result.js';
import { commandLines } from '../support/command-lines.js';
import { pageText } from '../support/page-text.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-photographs-'));
const lines = commandLines();
after(() => {
  lines.close();
  rmSync(folder, { recursive: true });
});
const place = (...names: string[]) => join(folder, ...names);

/** A folder of classes without splits: bright and dark pictures. */
const photographs = place('photographs');
for (const [name, base] of [
  ['day', 200],
  ['night', 40],
] as const)
  for (let at = 0; at < 20; at++) {
    const file = join(photographs, name, `IMG ${at}.png`);
    const pixels = Uint8Array.from({ length: 192 }, (_, index) => base + ((index * 7 + at) % 30));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(
      file,
      await sharp(pixels, { raw: { height: 8, width: 8, channels: 3 } })
        .png()
        .toBuffer(),
    );
  }

writeFileSync(
  place('recipe.json'),
  JSON.stringify({
    name: 'photographs',
    data: { name: 'folder', dir: photographs, size: [8, 8] },
    model: { name: 'resnet8', width: 0.25, activation: 'silu' },
    threat: { norm: 'linf', epsilon: '8/255' },
    training: {
      objective: 'clean',
      epochs: 2,
      batch: 16,
      schedule: { name: 'constant', learningRate: 0.01 },
    },
    validation: { attack: 'fgsm' },
    threads: 1,
  }),
);
const run = place('run');
const trained = await lines.run(['train', place('recipe.json'), '--out', run]);

async function evaluate(...words: readonly string[]) {
  const json = place('result.json');
  rmSync(json, { force: true });
  const common = ['--attack', 'fgsm', '--threads', '1', '--batch', '8', '--json', json];
  const { status, stdout, stderr } = await lines.run(['evaluate', ...words, ...common]);
  assert.equal(status, 0, stderr);
  assert.ok(existsSync(json));
  return { stdout, stderr, result: JSON.parse(readFileSync(json, 'utf8')) as EvaluationResult };
}

describe('an image goes by its file', () => {
  it('in the JSON, with what was predicted, and on the terminal', async () => {
    const { result, stdout } = await evaluate(run, '--data', 'folder:whole', '--epsilon', '0.5');
    assert.equal(result.perExample.length, 40);
    for (const { id, file, label, clean, brokenBy, predicted, attacked } of result.perExample) {
      const name = ['day', 'night'][label]!;
      assert.match(file!, new RegExp(`^${name}/IMG \\d+\\.png$`), `${id}`);
      assert.equal(predicted === name, clean);
      assert.equal(attacked === undefined, brokenBy === null);
      if (attacked !== undefined) assert.notEqual(attacked, name);
    }
    const wrong = result.perExample.filter(({ clean }) => !clean);
    const [first] = wrong;
    if (first !== undefined)
      assert.ok(stdout.includes(`  ${first.file}  `) && stdout.includes(`as ${first.predicted}`), stdout);
    const of = (label: number, predicted: string) =>
      result.perExample.filter((each) => each.label === label && each.predicted === predicted).length;
    assert.match(
      stdout,
      new RegExp(
        `\nclass, predicted as +day +night\nday +${of(0, 'day')} +${of(0, 'night')}\nnight +${of(1, 'day')} +${of(1, 'night')}\n`,
      ),
    );
  });

  it('on the page and in a folder that is resumed and verified', async () => {
    const kept = place('named');
    const page = place('page.html');
    const words = ['--epsilon', '0.5', '--report', page, '--curve-examples', '0'];
    const { result } = await evaluate(run, ...words, '--save-adversarial', kept);
    const text = pageText(readFileSync(page, 'utf8'));
    for (const { file } of result.perExample) assert.ok(text.includes(file!), file);
    assert.match(text, /What is taken for what/);
    assert.doesNotMatch(text, /image \d+/);
    const resumed = await evaluate(run, '--resume', kept);
    assert.deepEqual(resumed.result.perExample, result.perExample);
    assert.match(
      resumed.stderr,
      /begun with --report .*page\.html, which lies elsewhere: name a file by --report/,
    );
    const manifest = JSON.parse(readFileSync(join(kept, 'manifest.json'), 'utf8'));
    assert.deepEqual(
      manifest.files,
      result.perExample.map(({ file }) => file),
    );
  });
});

describe('of a folder of classes', () => {
  it('the tenth is measured that the run left out', async () => {
    assert.equal(trained.status, 0, trained.stderr);
    const { result, stdout } = await evaluate(run);
    assert.match(stdout, /\nthe weights after epoch [12] of 2, the best by validation\n/);
    assert.deepEqual(result.weights?.run, { epochs: 2, planned: 2 });
    assert.deepEqual([result.data, result.examples, result.warnings], ['folder:test', 4, []]);
  });

  it('a tenth is said to be one where it was asked for', async () => {
    for (const words of [
      ['--data', 'folder'],
      ['--data-dir', join(photographs, '.')],
    ]) {
      const { result, stderr } = await evaluate(run, ...words);
      assert.deepEqual([result.data, result.examples], ['folder:test', 4]);
      assert.match(stderr, /Warning: Of .*photographs the tenth of each class is measured .*folder:whole/);
    }
  });

  it('all is measured of one that is given for the evaluation alone, also where it is resumed', async () => {
    const copy = place('copy');
    cpSync(photographs, copy, { recursive: true });
    const kept = place('kept');
    const { result, stderr } = await evaluate(run, '--data-dir', copy, '--save-adversarial', kept);
    assert.deepEqual([result.data, result.examples], ['folder:whole', 40]);
    assert.match(stderr, /All of .*copy is measured\. If these are the images of .*photographs/);
    assert.deepEqual((await evaluate(run, '--resume', kept, '--data-dir', copy)).result.examples, 40);
    const tenth = await evaluate(run, '--data-dir', copy, '--data', 'folder:test');
    assert.deepEqual([tenth.result.data, tenth.result.examples], ['folder:test', 4]);
    const [checkpoint] = ['best.json'].map((name) => join(run, 'checkpoints', name));
    const threat = ['--norm', 'linf', '--epsilon', '8/255'];
    const alone = await evaluate(checkpoint!, '--data', 'folder', '--data-dir', copy, ...threat);
    assert.deepEqual([alone.result.data, alone.result.warnings], ['folder:whole', []]);
  });

  it('all is refused where there are splits, and of sets that have their own', async () => {
    const split = place('split');
    cpSync(photographs, join(split, 'test'), { recursive: true });
    cpSync(photographs, join(split, 'train'), { recursive: true });
    const words = ['evaluate', run, '--data', 'folder:whole', '--data-dir', split];
    const refused = await lines.run(words);
    assert.equal(refused.status, 2);
    assert.match(refused.stderr, /Expected a folder without splits for whole .*Name one of its splits/);
    assert.equal((await evaluate(run, '--data', 'folder', '--data-dir', split)).result.data, 'folder:test');
    const other = await lines.run(['evaluate', run, '--data', 'cifar10:all']);
    assert.match(other.stderr, /Expected one of train, validation, test for the split of cifar10/);
  });
});
