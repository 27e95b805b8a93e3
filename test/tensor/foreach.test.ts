/** An operator on a list is that on each of its tensors, to the bit. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryInfo, setThreads } from '../../src/engine/engine-info.js';
import { EngineError } from '../../src/errors.js';
import {
  foreachAdd_,
  foreachAddNumber_,
  foreachDiv,
  foreachMul_,
  foreachNorm,
  foreachSqrt,
} from '../../src/tensor/foreach.js';
import { noise } from '../../src/tensor/noise.js';
import { scope } from '../../src/tensor/scope.js';
import type { Dtype, Tensor } from '../../src/tensor/tensor.js';
import { assertClose } from '../support/close.js';

setThreads(1);

const shapes = [[7], [3, 5], [2, 3, 3, 3], [1], [130, 11]];

const draw = (epoch: number, dtype: Dtype) =>
  shapes.map((shape, id) =>
    noise('normal', { key: { seed: 2, stream: 'bench', epoch }, ids: [id], shape, dtype }).reshape(shape),
  );

const dataOf = (tensors: readonly Tensor[]) => tensors.map((each) => each.data());

describe('an operator on a list of tensors', () => {
  for (const dtype of ['float32', 'float64'] as const) {
    const check = (
      name: string,
      list: (a: Tensor[], b: Tensor[]) => readonly Tensor[],
      each: (a: Tensor, b: Tensor) => Tensor,
    ) =>
      it(`is that of each, to the bit: ${name}, ${dtype}`, () =>
        scope(() => {
          const expected = dataOf(draw(0, dtype).map((a, index) => each(a, draw(1, dtype)[index]!)));
          assert.deepEqual(dataOf(list(draw(0, dtype), draw(1, dtype))), expected);
        }));
    const inPlace = (change: (a: Tensor[], b: Tensor[]) => void) => (a: Tensor[], b: Tensor[]) => {
      change(a, b);
      return a;
    };
    check(
      'a + b',
      inPlace((a, b) => foreachAdd_(a, b)),
      (a, b) => a.add_(b),
    );
    check(
      'a + 0.3 b',
      inPlace((a, b) => foreachAdd_(a, b, 0.3)),
      (a, b) => a.add_(b, 0.3),
    );
    check(
      'a + 0.3',
      inPlace((a) => foreachAddNumber_(a, 0.3)),
      (a) => a.addNumber_(0.3),
    );
    check(
      '0.3 a',
      inPlace((a) => foreachMul_(a, 0.3)),
      (a) => a.mul_(0.3),
    );
    check(
      'a b',
      inPlace((a, b) => foreachMul_(a, b)),
      (a, b) => a.mul_(b),
    );
    check(
      'a²',
      inPlace((a) => foreachMul_(a, a)),
      (a) => a.mul_(a),
    );
    check('a / b', foreachDiv, (a, b) => a.div(b));
    check('√a', foreachSqrt, (a) => a.sqrt());
  }

  it('measures the length of each', () =>
    scope(() => {
      const tensors = draw(0, 'float64');
      assertClose(
        foreachNorm(tensors).map((norm) => norm.item()),
        tensors.map((each) => Math.hypot(...each.numbers())),
        { relative: 1e-12, absolute: 0 },
        'lengths',
      );
    }));

  it('does nothing to an empty list, and is refused for lists of other lengths', () =>
    scope(() => {
      foreachAdd_([], []);
      foreachAddNumber_([], 1);
      foreachMul_([], 2);
      foreachMul_([], []);
      assert.deepEqual([foreachDiv([], []), foreachSqrt([]), foreachNorm([])], [[], [], []]);
      const tensors = draw(0, 'float32');
      assert.throws(() => foreachAdd_(tensors, tensors.slice(1)), EngineError);
    }));

  it('gives tensors that a scope frees', () => {
    const before = memoryInfo().liveTensors;
    scope(() => foreachDiv(foreachSqrt(draw(0, 'float32')), draw(1, 'float32')).length);
    assert.equal(memoryInfo().liveTensors, before);
  });
});
