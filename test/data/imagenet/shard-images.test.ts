/** Archives as people have them: keys and extensions, labels, names of classes, and files of other programs among them. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { packTar } from 'modern-tar';
import { openSplit } from '../../../src/data/imagenet/splits.js';
import { refused, root, split } from '../../support/small-imagenet.js';

type Files = readonly (readonly [name: string, content: string])[];

/** A folder of archives, and of other files. */
async function folderOf(
  archives: Readonly<Record<string, Files>>,
  others: Readonly<Record<string, string>> = {},
): Promise<string> {
  const dir = mkdtempSync(join(root, 'archives-'));
  for (const [name, files] of Object.entries(archives)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    const entries = files.map(([file, body]) => ({
      header: { name: file, size: Buffer.byteLength(body) },
      body,
    }));
    writeFileSync(join(dir, name), await packTar(entries));
  }
  for (const [name, content] of Object.entries(others)) writeFileSync(join(dir, name), content);
  return dir;
}

async function open(files: Files, classes = 'cat\ndog\n') {
  const dir = await folderOf({ 'train-0.tar': files }, { 'classes.txt': classes });
  return (await openSplit({ ...split, dir })).images;
}

/** Samples of labels in the form `KEY.cls`. */
const labelled = (labels: readonly (number | string)[]): Files =>
  labels.flatMap((label, at) => [
    [`${at}.jpg`, 'x'],
    [`${at}.cls`, `${label}`],
  ]);

describe('the image of a sample', () => {
  it('is KEY.jpg, whatever else the sample has', async () => {
    const images = await open([
      ['a.seg.png', 'mask'],
      ['a.jpg', 'photo a'],
      ['a.png', 'mask'],
      ['a.cls', '0'],
      ['a.depth.jpg', 'depth'],
      ['b.png', 'mask'],
      ['b.JPEG', 'photo b'],
      ['b.cls', '1'],
      ['c.webp', 'photo c'],
      ['c.json', '{"label": 1}'],
      ['c.txt', 'a caption'],
    ]);
    const read = await Promise.all(
      [0, 1, 2].map(async (at) => Buffer.from(await images.read(at)).toString()),
    );
    assert.deepEqual(read, ['photo a', 'photo b', 'photo c']);
    assert.deepEqual([...images.labels], [0, 1, 1]);
    assert.deepEqual(images.warnings, []);
    await images.close();
  });

  it('is missing where only KEY.seg.png is there', async () => {
    await assert.rejects(
      open([
        ['a.seg.png', 'mask'],
        ['a.cls', '0'],
      ]),
      refused(/an image \(a\.jpg, .*: a but received only a\.seg\.png, a\.cls/),
    );
  });
});

it('files of other programs and readmes are skipped, counted and named', async () => {
  const images = await open([
    ['./._.', 'x'],
    ['./._0.jpg', 'x'],
    ['./0.jpg', 'photo'],
    ['./._0.cls', 'x'],
    ['./0.cls', '1'],
    ['__MACOSX/._0.jpg', 'x'],
    ['readme', 'x'],
  ]);
  assert.deepEqual([...images.labels], [1]);
  assert.equal(Buffer.from(await images.read(0)).toString(), 'photo');
  assert.match(
    images.warnings.join(),
    /^Skipped 5 files .* no sample: \.\/\._\., \.\/\._0\.jpg, .* and 2 more\.$/,
  );
  await images.close();
});

describe('labels', () => {
  it('are read as numbers and as digits in a text', async () => {
    const json = (value: unknown) => JSON.stringify(value);
    const images = await open([
      ['a.jpg', 'x'],
      ['a.json', json({ label: '1' })],
      ['b.jpg', 'x'],
      ['b.json', json({ cls: 1 })],
      ['c.jpg', 'x'],
      ['c.cls', '1\n'],
    ]);
    assert.deepEqual([...images.labels], [1, 1, 1]);
    for (const value of ['cat', '', ' ', '1.5', '-1', -1, 1.5, 70_000, '123456', null, [1]])
      await assert.rejects(
        open([
          ['a.jpg', 'x'],
          ['a.json', json({ label: value })],
        ]),
        refused(/a label \(a\.cls or a\.json\)/),
        json(value),
      );
    await assert.rejects(
      open([
        ['a.jpg', 'x'],
        ['a.cls', 'c\x1bt'],
      ]),
      refused(/received 'c\\x1bt'/),
    );
    await assert.rejects(
      open([
        ['a.jpg', 'x'],
        ['a.cls', '0'.repeat(2 ** 22 + 1)],
      ]),
      refused(/received 4,194,305 bytes/),
    );
  });

  it('that begin at 1 are told to begin at 0', async () => {
    await assert.rejects(
      open(labelled([1, 2, 1])),
      refused(
        /below 2, .*classes\.txt.* but received 2\. Labels begin at 0: those of imagenet:train go from 1 to 2\./,
      ),
    );
    await assert.rejects(
      open(labelled([0, 2])),
      refused(/received 2\. Complete .*classes\.txt: its first line names label 0, .* up to 2/),
    );
    const shifted = await open(labelled([1, 2, 3, 1]), 'a\nb\nc\nd\ne\n');
    assert.match(shifted.warnings.join(), /go from 1 to 3, without 0.*the name of the next class/);
    const usual = await open(labelled([0, 1, 2]), 'a\nb\nc\n');
    assert.deepEqual(usual.warnings, []);
  });
});

describe('the names of classes', () => {
  const archives = { 'train/0.tar': labelled([0, 1]), 'val/0.tar': labelled([1]) };

  it('are beside the archives, or above the splits', async () => {
    const dir = await folderOf(archives, { 'classes.txt': 'cat\r\ndog\r\n' });
    for (const each of ['train', 'test'] as const)
      assert.deepEqual((await openSplit({ ...split, dir, split: each })).images.classes, ['cat', 'dog']);
    writeFileSync(join(dir, 'train', 'classes.txt'), '\ufeffcat\ndog');
    assert.deepEqual((await openSplit({ ...split, dir })).images.classes, ['cat', 'dog']);
    writeFileSync(join(dir, 'train', 'classes.txt'), 'dog\ncat');
    await assert.rejects(
      openSplit({ ...split, dir }),
      refused(/the names of .*train.classes\.txt for .* received others/),
    );
  });

  it('are those of ImageNet, with a warning where the labels are fewer', async () => {
    const { images } = await openSplit({ ...split, dir: await folderOf(archives) });
    assert.equal(images.classes.length, 1000);
    assert.match(
      images.warnings.join(),
      /No classes\.txt .* ImageNet's 1,000, although its labels go from 0 to 1/,
    );
  });
});
