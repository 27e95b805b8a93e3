import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseExamples } from '../../src/data/choose-examples.js';
import { type Dataset, subset } from '../../src/data/dataset.js';
import { classCounts } from '../../src/data/stratify.js';
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

test('an empty set is said to be empty', () => {
  const empty = subset(tiny, []);
  for (const count of [0, 1])
    assert.throws(
      () => chooseExamples(empty, count, { seed: 0 }),
      /Expected a set that is not empty for the examples of /,
    );
});

test('a draw does not depend on the order of the examples', () => {
  const back = Uint32Array.from({ length: 30 }, (_, i) => 29 - i);
  const reversed = subset(tiny, back);
  const ids = (data: Dataset) => [...subset(data, chooseExamples(data, 12, { seed: 3 })).ids].sort();
  assert.deepEqual(ids(reversed), ids(tiny));
});
