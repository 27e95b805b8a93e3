import { where, zerosLike } from '../tensor/create.js';
import { operator } from '../tensor/operator.js';
import { one, type Tensor } from '../tensor/tensor.js';
import type { NormName } from './norms.js';

/** A hyperplane for each image: w · (z − x) = −excess. */
export interface Hyperplane {
  readonly w: Tensor; // [N, C, H, W]
  readonly excess: Tensor; // [N]
}

/**
 * The shortest step δ, in the norm, from each image to a hyperplane within the box [0, 1]:
 * min ‖δ‖ with w · (x + δ) = w · x − excess and 0 ≤ x + δ ≤ 1. Where the box does not reach the hyperplane, the step goes
 * as near as the box allows. x and w [N, C, H, W], excess [N] → [N, C, H, W].
 *
 * The optimum moves each pixel against sign(w) by min(λ speed, room), where room is the way to the box's wall, and λ is
 * the smallest for which Σ |w| min(λ speed, room) = |excess|. The sum is concave and piecewise linear in λ, so Newton's
 * iteration from 0 climbs to that λ from below and stops after finitely many steps: pixels that it finds at the wall
 * stay there. A few are enough, and nothing is sorted.
 *
 * On the CPU it is Satin's own kernel, elsewhere `composedStep`.
 */
export function stepToHyperplane(norm: NormName, x: Tensor, plane: Hyperplane): Tensor {
  if (x.device !== 'cpu') return composedStep(norm, x, plane);
  return one(stepOperator, x.handle, plane.w.handle, plane.excess.handle, norm === 'l2');
}

const stepOperator = operator('satin::step_to_hyperplane');

/** How fast a pixel moves when the step grows, given |w|: all alike in L∞, in proportion to |w| in L2. */
const speeds: Readonly<Record<NormName, (steepness: Tensor) => Tensor | number>> = {
  linf: () => 1,
  l2: (steepness) => steepness,
};

const pixels = [1, 2, 3] as const;

/** `stepToHyperplane`, of libtorch's operators. */
export function composedStep(norm: NormName, x: Tensor, { w, excess }: Hyperplane): Tensor {
  const far = excess.abs().reshape([-1, 1, 1, 1]);
  const down = where(excess.less(0).reshape([-1, 1, 1, 1]), w.neg(), w); // moving against it leads to the hyperplane
  const steepness = down.abs();
  const speed = speeds[norm](steepness);
  const wall = where(down.greater(0), x, x.neg().add(1));
  const room = where(down.eq(0), zerosLike(x), wall);
  const gain = steepness.mul(speed); // how much a free pixel contributes for each unit of λ
  const most = steepness.mul(room); // and how much it contributes once it is at the wall

  let free = room.greater(0);
  for (let count = free.sum().item(); ; ) {
    const share = free.to(x.dtype);
    const rate = gain.mul(share).sum(pixels, true); // [N, 1, 1, 1]
    const left = far.sub(most.mul(free.not().to(x.dtype)).sum(pixels, true));
    // Where no pixel is free, all are at the wall: any λ says so that is large enough.
    const length = where(rate.greater(0), left.div(rate).clamp(0, huge), zerosLike(rate).add(huge));
    const reach = typeof speed === 'number' ? length : length.mul(speed);
    const still = free.mul(room.greater(reach));
    const remain = still.sum().item();
    if (remain === count) return reach.minimum(room).mul(down.sign()).neg();
    [free, count] = [still, remain];
  }
}

const huge = 1e30;
