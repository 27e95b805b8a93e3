import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Layout, placed } from '../../../src/weights/tensorflow/variable.js';

describe('a variable in the layout of PyTorch', () => {
  /** Element i of the variable is i, so that the result shows where each went. */
  const moved = (shape: readonly number[], layout: Layout, kind: 'F32' | 'F16' | 'F64' = 'F32') => {
    const count = shape.reduce((a, b) => a * b, 1);
    const order = Array.from({ length: count }, (_, index) => index);
    const make = {
      F64: () => new BigUint64Array(order.map(BigInt)),
      F32: () => new Uint32Array(order),
      F16: () => new Uint16Array(order),
    };
    const bytes = new Uint8Array(make[kind]().buffer);
    const array = placed({ name: 'a', dtype: kind, shape, read: () => bytes }, { name: 'b', layout });
    const { buffer } = new Uint8Array(array.read());
    const read = { F64: BigUint64Array, F32: Uint32Array, F16: Uint16Array }[kind];
    assert.equal(array.name, 'b');
    return { shape: array.shape, elements: Array.from(new read(buffer), Number) };
  };
  /** Place of an element of a row-major array. */
  const at = (shape: readonly number[], index: readonly number[]) =>
    index.reduce((place, each, axis) => place * shape[axis]! + each, 0);

  it('has a vector of any shape', () => {
    assert.deepEqual(moved([1, 1, 1, 1, 3], 'vector'), { shape: [3], elements: [0, 1, 2] });
    assert.deepEqual(moved([], 'vector'), { shape: [1], elements: [0] });
  });

  it('has a matrix transposed', () => {
    assert.deepEqual(moved([2, 3], 'matrix'), { shape: [3, 2], elements: [0, 3, 1, 4, 2, 5] });
  });

  for (const kind of ['F64', 'F32', 'F16'] as const)
    it(`has kernels with outputs and inputs first: ${kind}`, () => {
      const from = [2, 3, 4, 5] as const;
      const [plain, bgr] = [moved(from, 'kernel', kind), moved(from, 'bgr-kernel', kind)];
      const depthwise = moved(from, 'depthwise', kind);
      assert.deepEqual(
        [plain.shape, bgr.shape, depthwise.shape],
        [
          [5, 4, 2, 3],
          [5, 4, 2, 3],
          [20, 1, 2, 3],
        ],
      );
      for (let h = 0; h < 2; h++)
        for (let w = 0; w < 3; w++)
          for (let i = 0; i < 4; i++)
            for (let o = 0; o < 5; o++) {
              const source = at(from, [h, w, i, o]);
              assert.equal(plain.elements[at(plain.shape, [o, i, h, w])], source);
              assert.equal(bgr.elements[at(bgr.shape, [o, 3 - i, h, w])], source);
              assert.equal(depthwise.elements[at(depthwise.shape, [i * 5 + o, 0, h, w])], source);
            }
    });

  it('keeps its shape, which then does not fit, if it has another rank', () => {
    assert.deepEqual(moved([2, 2], 'kernel').shape, [2, 2]);
    assert.deepEqual(moved([0, 3], 'matrix'), { shape: [3, 0], elements: [] });
  });
});
