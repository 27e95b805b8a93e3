/** Layouts of ImageNet on the disk: folders and shards hold the same, and what is incomplete is refused and named. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { packTar } from 'modern-tar';
import { openSplit } from '../../../src/data/imagenet/splits.js';
import {
  classes,
  folder,
  jpeg,
  makeShards,
  refused,
  root,
  shards,
  split,
} from '../../support/small-imagenet.js';

describe('layouts', () => {
  it('of folders and of shards give the same images and labels', async () => {
    const [a, b] = await Promise.all([folder, shards].map((dir) => openSplit({ ...split, dir })));
    assert.deepEqual(a!.images.classes, classes);
    assert.deepEqual(b!.images.classes, classes);
    assert.deepEqual(a!.images.labels, b!.images.labels);
    assert.deepEqual(b!.images.shards, [0, 6, 12]);
    for (const index of [0, 4, 17])
      assert.deepEqual(await a!.images.read(index), Buffer.from(await b!.images.read(index)));
    assert.match(b!.images.nameOf(4), /000000\.tar: deep\/.*a4\.jpg$/);
    await b!.images.close();
  });

  it('of test are val, and training gives up what validation takes', async () => {
    const test = await openSplit({ ...split, dir: folder, split: 'test' });
    assert.deepEqual([...test.images.labels], [0, 1, 2]);
    const [train, validation] = await Promise.all(
      (['train', 'validation'] as const).map((each) =>
        openSplit({ ...split, dir: folder, split: each, validation: 6 }),
      ),
    );
    assert.equal(validation!.indices.length, 6);
    assert.deepEqual(
      [...train!.indices, ...validation!.indices].sort((a, b) => a - b),
      [...Array(18).keys()],
    );
  });

  it('that are cut short, damaged, incomplete or none are refused and named', async () => {
    const broken = (change: (dir: string) => void) =>
      makeShards().then((dir) => {
        change(dir);
        return openSplit({ ...split, dir });
      });
    const first = (dir: string) => join(dir, 'imagenet-train-000000.tar');
    const whole = readFileSync(first(shards));
    await assert.rejects(
      broken((dir) => truncateSync(first(dir), 1000)),
      refused(/000000\.tar but received one cut short after 1,000 bytes, within img0\.jpg/),
    );
    const end = whole.length - 1024;
    await assert.rejects(
      broken((dir) => truncateSync(first(dir), end)),
      refused(/cut short after .*without an end after img5\.json/),
    );
    await assert.rejects(
      broken((dir) => writeFileSync(first(dir), Buffer.alloc(2000, 7))),
      refused(/a header that is none at byte 0/),
    );
    await assert.rejects(
      broken((dir) => rmSync(join(dir, 'imagenet-train-000001.tar'))),
      refused(/000001\.tar but received none, but .*000002\.tar after it/),
    );
    await assert.rejects(
      broken((dir) => writeFileSync(join(dir, 'classes.txt'), 'a\nb\n')),
      refused(/a label below 2, the number of classes in .*classes\.txt, for .*img12/),
    );
    const flat = mkdtempSync(join(root, 'flat-'));
    mkdirSync(join(flat, 'val'));
    writeFileSync(join(flat, 'val', 'ILSVRC2012_val_00000001.JPEG'), '');
    await assert.rejects(
      openSplit({ ...split, dir: flat, split: 'test' }),
      refused(/images without subfolders\. Sort them/),
    );
    await assert.rejects(openSplit({ ...split, dir: flat }), refused(/train\/ with a subfolder.*neither/));
    await assert.rejects(openSplit({ ...split, dir: join(flat, 'x') }), refused(/received no folder/));
  });

  it('of a val that lacks classes keep the labels of train', async () => {
    const dir = mkdtempSync(join(root, 'lacking-'));
    for (const [part, names] of [
      ['train', ['n01', 'n02', 'n03']],
      ['val', ['n01', 'n03']],
    ] as const)
      for (const name of names) {
        mkdirSync(join(dir, part, name), { recursive: true });
        writeFileSync(join(dir, part, name, `${name}.JPEG`), await jpeg(0));
      }
    const { images } = await openSplit({ ...split, dir, split: 'test' });
    assert.deepEqual([...images.labels], [0, 2]);
    assert.deepEqual(images.classes, classes);
    assert.match(images.warnings.join(), /1 class of the 3 of .*train has no images in .*val: n02/);
  });

  it('without a label for an image are refused', async () => {
    const dir = mkdtempSync(join(root, 'unlabelled-'));
    const body = new Uint8Array(await jpeg(0));
    writeFileSync(
      join(dir, 'train-0.tar'),
      await packTar([{ header: { name: 'a.jpg', size: body.length }, body }]),
    );
    await assert.rejects(
      openSplit({ ...split, dir }),
      refused(/a label \(\.cls or \.json\) for .*a received|a label/),
    );
  });
});
