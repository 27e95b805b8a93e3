import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { chooseExamples } from '../../src/data/choose-examples.js';
import { type Dataset, subset } from '../../src/data/dataset.js';
import { pixelsDigest } from '../../src/data/digest.js';
import { classCounts, drawStratified, proportionalCounts } from '../../src/data/stratify.js';
import { InputError } from '../../src/errors.js';

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

test('a subset has its examples in the order that was asked for, and its own bytes', () => {
  const part = subset(tiny, [29, 0, 15]);
  assert.deepEqual([...part.ids], [129, 100, 115]);
  assert.deepEqual([...part.labels], [2, 0, 1]);
  assert.deepEqual([...part.images], [58, 59, 0, 1, 30, 31]);
  part.images[0] = 99;
  assert.equal(tiny.images[58], 58);
  assert.throws(() => subset(tiny, [30]), RangeError);
});

test('file sets give their first examples, folders a stratified draw by seed', () => {
  assert.deepEqual([...chooseExamples({ ...tiny, order: 'file' }, 4, { seed: 0 })], [0, 1, 2, 3]);
  const drawn = chooseExamples(tiny, 12, { seed: 0 });
  assert.deepEqual(classCounts(subset(tiny, drawn).labels, 3), [6, 4, 2]);
  assert.deepEqual(drawn, chooseExamples(tiny, 12, { seed: 0 }));
  assert.notDeepEqual(drawn, chooseExamples(tiny, 12, { seed: 1 }));
  assert.deepEqual(
    [...drawn],
    [...drawn].sort((a, b) => a - b),
  );
  assert.equal(chooseExamples(tiny, 30, { seed: 0 }).length, 30);
  for (const count of [0, -1, 31, 1.5, Number.NaN])
    assert.throws(
      () => chooseExamples(tiny, count, { seed: 0 }),
      (error) => error instanceof InputError && /whole number from 1 to 30/.test(error.message),
    );
});

test('a draw does not depend on the order of the examples', () => {
  const back = Uint32Array.from({ length: 30 }, (_, i) => 29 - i);
  const reversed = subset(tiny, back);
  const ids = (data: Dataset) => [...subset(data, chooseExamples(data, 12, { seed: 3 })).ids].sort();
  assert.deepEqual(ids(reversed), ids(tiny));
});

test('shares are proportional, add up, and leave one of each class where that is asked', () => {
  assert.deepEqual(proportionalCounts([15, 10, 5], 12), [6, 4, 2]);
  assert.deepEqual(proportionalCounts([1, 1, 1], 2), [1, 1, 0]);
  assert.deepEqual(proportionalCounts([98, 1, 1], 60, 1), [60, 0, 0]);
  assert.deepEqual(proportionalCounts([2, 2, 6], 7, 1), [1, 1, 5]);
  assert.throws(() => proportionalCounts([2, 2], 3, 1), RangeError);
  for (let total = 0; total <= 30; total++) {
    const counts = proportionalCounts([15, 10, 5], total);
    assert.equal(
      counts.reduce((sum, count) => sum + count),
      total,
    );
    assert.ok(counts.every((count, label) => Math.abs(count - (total * [15, 10, 5][label]!) / 30) < 1));
  }
});

test('a place in line is sha256 of purpose, seed and key, as the documentation says', () => {
  const place = (id: number) =>
    createHash('sha256').update(`satin validation 7 ${id}`).digest('hex').slice(0, 12);
  const expected = [...tiny.ids.keys()].sort((a, b) => (place(a) < place(b) ? -1 : 1)).slice(0, 5);
  const drawn = drawStratified({
    purpose: 'validation',
    seed: 7,
    labels: new Uint8Array(30),
    keys: Array.from({ length: 30 }, (_, id) => id),
    counts: [5],
  });
  assert.deepEqual(
    [...drawn],
    expected.sort((a, b) => a - b),
  );
});

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
