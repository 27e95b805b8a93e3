import { where, zerosLike } from '../tensor/create.js';
import { operator } from '../tensor/operator.js';
import { one, type Tensor } from '../tensor/tensor.js';
import type { NormName } from './norms.js';

/** A hyperplane per image: w · (z − x) = −excess. */
export interface Hyperplane {
  readonly w: Tensor; // [N, C, H, W]
  readonly excess: Tensor; // [N]
}

/**
 * The smallest step δ, in the norm, from each image to a hyperplane within the box [0, 1]:
 * min ‖δ‖ with w · (x + δ) = w · x − excess and 0 ≤ x + δ ≤ 1. If the box does not intersect the hyperplane, the step
 * goes as close as the box allows. x and w [N, C, H, W], excess [N] → [N, C, H, W].
 *
 * The optimum moves each pixel against sign(w) by min(λ speed, room), where room is its distance to the bound of the
 * box and λ is the smallest value with Σ |w| min(λ speed, room) = |excess|. The sum is concave and piecewise linear in
 * λ, so Newton's method from 0 approaches λ from below and terminates after finitely many iterations: pixels that reach
 * the bound stay there. Few iterations are needed, and no sorting.
 *
 * Uses Satin's own kernel on the CPU and `composedStep` on other devices.
 */
export function stepToHyperplane(norm: NormName, x: Tensor, plane: Hyperplane): Tensor {
  if (x.device !== 'cpu') return composedStep(norm, x, plane);
  return one(stepOperator, x.handle, plane.w.handle, plane.excess.handle, norm === 'l2');
}

const stepOperator = operator('satin::step_to_hyperplane');

/** Speed of a pixel as λ grows, given |w|: equal for all pixels in L∞, proportional to |w| in L2. */
const speeds: Readonly<Record<NormName, (steepness: Tensor) => Tensor | number>> = {
  linf: () => 1,
  l2: (steepness) => steepness,
};

const pixels = [1, 2, 3] as const;

/** `stepToHyperplane` composed of libtorch operators. */
export function composedStep(norm: NormName, x: Tensor, { w, excess }: Hyperplane): Tensor {
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
