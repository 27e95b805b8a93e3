import assert from 'node:assert/strict';
import { it } from 'node:test';
import { nextBatchRange, ShuffledDataset } from '../../src/data/batch-source.js';
import { DatasetTensors } from '../../src/data/dataset-tensors.js';
import { scope } from '../../src/tensor/scope.js';
import { blobs } from '../support/blobs.js';

it('the next stretch lies a stride on, and at the end of a pass where it began', () => {
  const first = { seed: 1, pass: 1, first: 2, size: 2, stride: 4 };
  // Eleven images have room for two strides of four.
  const second = nextBatchRange(first, 11);
  assert.deepEqual(second, { ...first, first: 6 });
  assert.deepEqual(nextBatchRange(second, 11), { ...first, pass: 2 });
  assert.deepEqual(nextBatchRange({ ...first, first: 0, size: 11, stride: 11 }, 11), {
    ...first,
    pass: 2,
    first: 0,
    size: 11,
    stride: 11,
  });
});

it('the labels of a stretch are those of its batch', async () => {
  using tensors = new DatasetTensors(blobs(12));
  const source = new ShuffledDataset(tensors, { flip: false, crop: 0 });
  const taken = await source.take({ seed: 1, pass: 2, first: 3, size: 6, stride: 6 });
  scope(() => {
    const { labels } = taken.batch(0, 6);
    assert.deepEqual(taken.labels(), [...labels.numbers()]);
  });
});
