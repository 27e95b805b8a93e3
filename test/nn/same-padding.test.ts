import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Initialiser } from '../../src/nn/initialise.js';
import { Conv2d } from '../../src/nn/layers.js';
import { padSame, samePadding } from '../../src/nn/same-padding.js';
import { ones, tensor } from '../../src/tensor/create.js';
import { scope } from '../../src/tensor/scope.js';

describe('SAME padding', () => {
  // tf.nn.max_pool2d and tf.nn.conv2d in TensorFlow 2.21: what an input of ones shows at the two ends.
  const known: readonly (readonly [size: number, kernel: number, stride: number, number, number])[] = [
    [112, 3, 2, 0, 1],
    [49, 3, 2, 1, 1],
    [48, 5, 2, 1, 2],
    [65, 5, 2, 2, 2],
    [7, 3, 1, 1, 1],
    [8, 5, 1, 2, 2],
    [1, 3, 2, 1, 1],
    [2, 5, 2, 1, 2],
    [10, 1, 2, 0, 0],
    [9, 2, 3, 0, 0],
  ];
  for (const [size, kernel, stride, before, after] of known)
    it(`of ${size} with a kernel of ${kernel} and a stride of ${stride} is ${before} and ${after}`, () => {
      assert.deepEqual(samePadding(size, { kernel, stride }), [before, after]);
    });

  it('gives ⌈size / stride⌉ outputs and is never more than is needed', () => {
    for (let size = 1; size <= 40; size++)
      for (const kernel of [1, 2, 3, 5, 7])
        for (const stride of [1, 2, 3]) {
          const [before, after] = samePadding(size, { kernel, stride });
          const outputs = Math.floor((size + before + after - kernel) / stride) + 1;
          assert.equal(outputs, Math.ceil(size / stride), `${size} ${kernel} ${stride}`);
          assert.ok(after - before === 0 || after - before === 1);
          assert.ok(before + after === 0 || before + after < kernel);
        }
  });

  it('pads each side of an image that is not square on its own', () => {
    scope(() => {
      const padded = padSame(ones([1, 1, 2, 3]), { kernel: 3, stride: 2 }, -1);
      assert.deepEqual(padded.shape, [1, 1, 3, 5]);
      assert.deepEqual([...padded.numbers()], [-1, 1, 1, 1, -1, -1, 1, 1, 1, -1, -1, -1, -1, -1, -1]);
    });
  });

  it('is what a convolution does, with stride 1 by its own padding', () => {
    scope(() => {
      const initialiser = new Initialiser(0);
      const filter = { inputs: 1, outputs: 1, kernel: 3, padding: 'same', initialiser } as const;
      const strided = new Conv2d({ ...filter, stride: 2 });
      strided.weight.detach().copy_(tensor(Float32Array.from([1, 2, 4, 0, 0, 0, 0, 0, 0]), [1, 1, 3, 3]));
      const x = tensor(
        Float32Array.from({ length: 16 }, (_, index) => index + 1),
        [1, 1, 4, 4],
      );
      const y = strided.forward(x, { train: false });
      assert.deepEqual(y.shape, [1, 1, 2, 2]);
      // The window starts at the first pixel, and only its last column is outside.
      assert.deepEqual([...y.numbers()], [1 + 4 + 12, 3 + 8, 9 + 20 + 44, 11 + 24]);
      const plain = new Conv2d({ ...filter, stride: 1 });
      assert.equal(plain.padding, 1);
      assert.equal(plain.pad(x), x);
      for (const module of [strided, plain]) module.dispose();
    });
  });
});
