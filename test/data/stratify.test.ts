import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { Dataset } from '../../src/data/dataset.js';
import { drawStratified, proportionalCounts } from '../../src/data/stratify.js';

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
