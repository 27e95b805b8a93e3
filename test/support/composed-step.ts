import type { Hyperplane } from '../../src/attacks/greedy-step.js';
import { where, zerosLike } from '../../src/tensor/create.js';
import type { Tensor } from '../../src/tensor/tensor.js';

/** Speed of a pixel as λ grows, given |w|: equal for all pixels in L∞, proportional to |w| in L2. */
const speeds: Readonly<Record<'linf' | 'l2', (steepness: Tensor) => Tensor | number>> = {
  linf: () => 1,
  l2: (steepness) => steepness,
};

const pixels = [1, 2, 3] as const;

/** `stepToHyperplane` composed of libtorch operators, an independent implementation to compare the kernels with. */
export function composedStep(norm: 'linf' | 'l2', x: Tensor, { w, excess }: Hyperplane): Tensor {
  const target = excess.abs().reshape([-1, 1, 1, 1]);
  const normal = where(excess.less(0).reshape([-1, 1, 1, 1]), w.neg(), w); // moving against it approaches the hyperplane
  const steepness = normal.abs();
  const speed = speeds[norm](steepness);
  const wall = where(normal.greater(0), x, x.neg().add(1));
  const room = where(normal.eq(0), zerosLike(x), wall);
  const gain = steepness.mul(speed); // contribution of a free pixel per unit of λ
  const saturated = steepness.mul(room); // contribution of a pixel at the bound

  let free = room.greater(0);
  for (let count = free.sum().item(); ; ) {
    const share = free.to(x.dtype);
    const rate = gain.mul(share).sum(pixels, true); // [N, 1, 1, 1]
    const left = target.sub(saturated.mul(free.not().to(x.dtype)).sum(pixels, true));
    // With no free pixel, all are at the bound and any sufficiently large λ is a solution.
    const length = where(rate.greater(0), left.div(rate).clamp(0, huge), zerosLike(rate).add(huge));
    const reach = typeof speed === 'number' ? length : length.mul(speed);
    const stillFree = free.mul(room.greater(reach));
    const remain = stillFree.sum().item();
    if (remain === count) return reach.minimum(room).mul(normal.sign()).neg();
    [free, count] = [stillFree, remain];
  }
}

const huge = 1e30;
