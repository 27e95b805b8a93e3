import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stackImages, unstackImages } from '../../src/data/image-stack.js';
import { scope } from '../../src/tensor/scope.js';

describe('images one by one', () => {
  const images = [Float32Array.of(0, 1, 2, 3, 4, 5), Float32Array.of(6, 7, 8, 9, 10, 11)];

  it('are stacked in their order, and come back as they were', () =>
    scope(() => {
      const x = stackImages(images, [1, 2, 3]);
      assert.deepEqual(x.shape, [2, 1, 2, 3]);
      assert.deepEqual([...x.numbers()], [...Array(12).keys()]);
      assert.deepEqual(unstackImages(x), images);
    }));

  it('are none in an empty stack', () =>
    scope(() => {
      const x = stackImages([], [1, 2, 3]);
      assert.deepEqual(x.shape, [0, 1, 2, 3]);
      assert.deepEqual(unstackImages(x), []);
    }));
});
