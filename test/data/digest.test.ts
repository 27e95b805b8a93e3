import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { type Dataset, subset } from '../../src/data/dataset.js';
import { pixelsDigest } from '../../src/data/digest.js';

const tiny: Dataset = {
  name: 'folder:test',
  classes: ['a', 'b', 'c'],
  shape: [1, 1, 2],
  images: Uint8Array.from({ length: 60 }, (_, i) => i),
  labels: Uint8Array.from({ length: 30 }, (_, i) => (i < 15 ? 0 : i < 25 ? 1 : 2)),
  ids: Uint32Array.from({ length: 30 }, (_, i) => 100 + i),
  order: 'folder',
  warnings: [],
};

test('the digest covers ids, labels, shape and pixels, and nothing else', () => {
  const digest = pixelsDigest(tiny);
  const head = Buffer.from(Uint32Array.from([30, 1, 1, 2, ...tiny.ids]).buffer);
  const labels = Buffer.from(Uint16Array.from(tiny.labels).buffer);
  const expected = createHash('sha256').update(head).update(labels).update(tiny.images).digest('hex');
  assert.equal(digest, `sha256:${expected}`);
  assert.equal(pixelsDigest({ ...tiny, name: 'other', labels: Uint16Array.from(tiny.labels) }), digest);
  assert.equal(pixelsDigest(tiny, [3, 1]), pixelsDigest(subset(tiny, [3, 1])));
  assert.notEqual(pixelsDigest(tiny, [3, 1]), pixelsDigest(tiny, [1, 3]));
  const changed: Partial<Dataset>[] = [
    { images: Uint8Array.from(tiny.images, (byte, i) => (i === 59 ? 0 : byte)) },
    { labels: Uint8Array.from(tiny.labels, (label, i) => (i === 0 ? 1 : label)) },
    { ids: Uint32Array.from(tiny.ids, (id, i) => (i === 29 ? 7 : id)) },
    { shape: [1, 2, 1] },
  ];
  assert.equal(new Set([digest, ...changed.map((part) => pixelsDigest({ ...tiny, ...part }))]).size, 5);
});
