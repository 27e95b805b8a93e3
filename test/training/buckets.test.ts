import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setThreads } from '../../src/engine/engine-info.js';
import { zeros } from '../../src/tensor/create.js';
import { scope } from '../../src/tensor/scope.js';
import { bucketsOf } from '../../src/training/buckets.js';

setThreads(1);

describe('buckets', () => {
  const bucketsOfSizes = (sizes: readonly number[], device = 'cpu') =>
    scope(() => bucketsOf(sizes.map((size) => zeros([size], 'float32', device))));
  const most = 2 ** 18;

  it('on the CPU hold a megabyte of float32, or one larger tensor', () => {
    assert.deepEqual(bucketsOfSizes([]), []);
    assert.deepEqual(bucketsOfSizes([3, 4, 5]), [{ first: 0, end: 3 }]);
    assert.deepEqual(bucketsOfSizes([most - 2, 2, 1]), [
      { first: 0, end: 2 },
      { first: 2, end: 3 },
    ]);
    assert.deepEqual(bucketsOfSizes([1, 3 * most, 1, 1, 2 * most]), [
      { first: 0, end: 1 },
      { first: 1, end: 2 },
      { first: 2, end: 4 },
      { first: 4, end: 5 },
    ]);
  });

  it('elsewhere are one', () => {
    assert.deepEqual(bucketsOfSizes([most, most, 1], 'meta'), [{ first: 0, end: 3 }]);
  });
});
