/** The kernel of the step in L1 that moves few pixels has the bits of its twin of libtorch's operators. */
import { describe, it } from 'node:test';
import { composedSparseDirection, sparseDirection } from '../../src/attacks/sparse-direction.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { where } from '../../src/tensor/create.js';
import { scope } from '../../src/tensor/scope.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { assertAlike, assertSteady, drawn, imageShapes } from '../support/kernel-twin.js';

setThreads(1);

const single = (gradient: Tensor, share: Tensor) =>
  [gradient.to('float32'), share.to('float32').reshape([-1])] as const;

const likeTwin = (gradient: Tensor, share: Tensor) => {
  const inputs = single(gradient, share);
  assertAlike(sparseDirection(...inputs), composedSparseDirection(...inputs), 'direction');
};

describe('the kernel of the step in L1 that moves few pixels', () => {
  for (const shape of imageShapes)
    it(`has the bits of its twin: images of ${shape.join('x')}`, () =>
      scope(() => {
        const gradient = drawn('normal', shape, 1);
        const share = drawn('uniform', [1], 2);
        for (const each of [share, share.mul(0.1), share.mul(0), share.mul(0).add(1), share.mul(9)])
          likeTwin(gradient, each);
        likeTwin(gradient.mul(1e-42), share); // below the smallest normal number
        likeTwin(gradient.mul(4).to('int64').to('float64'), share); // many of one size, many 0
        likeTwin(gradient.mul(0), share);
        const [of, part] = single(gradient, share);
        assertSteady((each, some) => sparseDirection(each!, some!.reshape([-1])), [of, part.unsqueeze(1)]);
      }));

  it('takes NaN for 0 and what is infinite for the largest number', () =>
    scope(() => {
      const gradient = drawn('normal', [3, 7, 5], 1);
      const share = drawn('uniform', [1], 2);
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
        for (const part of [0.9, -9]) {
          const isHit = drawn('uniform', [3, 7, 5], 3).greater(part);
          likeTwin(where(isHit, gradient.mul(0).add(value), gradient), share);
        }
    }));
});
