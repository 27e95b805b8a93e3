import { cat, where, zerosLike } from '../tensor/create.js';
import { operator } from '../tensor/operator.js';
import { one, type Tensor } from '../tensor/tensor.js';
import { haveKernel } from './have-kernel.js';
import { runningSum, sorted } from './sorted.js';

/**
 * The nearest point to the candidate, in L2, in both the L1 ball of radius ε around `x` and the box [0, 1] (Croce and Hein,
 * 2021). Images are [N, C, H, W].
 *
 * Each number of the step y = candidate − x is shortened by the same λ ≥ 0, no further than to 0, and then at most to its way to
 * the wall r: |δ| = min((|y| − λ)₊, r), where λ is the smallest with Σ |δ| ≤ ε. That sum falls along straight lines between
 * the values at which a number leaves the wall, |y| − r, and comes to 0, |y|. In float64, whatever the dtype of the images, and
 * rounded so that the sum exceeds ε by no more than float64's rounding; nothing is read on the way.
 *
 * Satin's own operator finds λ by Newton's steps along these lines, in float32 on the CPU; elsewhere the values are sorted and
 * the sum followed down to ε.
 */
export function projectInL1(candidate: Tensor, x: Tensor, epsilon: number): Tensor {
  if (haveKernel(candidate, x)) return one(projectOperator, candidate.handle, x.handle, epsilon);
  return composedProjectionInL1(candidate, x, epsilon);
}

const projectOperator = operator('satin::project_in_l1');

/** The same of libtorch's operators. */
export function composedProjectionInL1(candidate: Tensor, x: Tensor, epsilon: number): Tensor {
  const origin = x.flatten(1).to('float64'); // [N, d]
  const step = candidate.flatten(1).to('float64').sub(origin);
  const length = step.abs();
  const room = where(step.less(0), origin, origin.neg().add(1));
  const excess = length.minimum(room).sum([1], true).sub(epsilon); // [N, 1]
  const shortened = where(excess.greater(0), shortening(length, room, excess), zerosLike(excess));
  const kept = length.sub(shortened).clamp(0, epsilon).minimum(room);
  const moved = origin.add(step.sign().mul(kept)).clamp(0, 1).to(x.dtype).reshape(x.shape);
  // Rounding to float32 may undo what each of thousands of numbers was shortened by: those that went too far step back.
  const isFar = moved.flatten(1).to('float64').sub(origin).abs().greater(kept).reshape(x.shape);
  return where(isFar, one(nextAfter, moved.handle, x.handle), moved);
}

const nextAfter = operator('aten::nextafter');

/** The λ at which Σ min((length − λ)₊, room) has fallen by `excess`, [N, 1]. */
function shortening(length: Tensor, room: Tensor, excess: Tensor): Tensor {
  const leaves = length.sub(room).clamp(0, Number.POSITIVE_INFINITY);
  const { values, places } = sorted(cat([leaves, length], 1)); // [N, 2 d]
  const turns = places.less(length.dimension(1)).to('float64').mul(2).sub(1); // one more number shrinks, or one less
  const shrinking = runningSum(turns);
  const last = values.dimension(1) - 1;
  const fall = runningSum(
    values
      .narrow(1, 1, last)
      .sub(values.narrow(1, 0, last))
      .mul(shrinking.narrow(1, 0, last)),
  );
  const fallen = cat([zerosLike(excess), fall], 1); // at each of the values
  const at = fallen.less(excess).to('int64').sum([1], true).sub(1).clamp(0, last); // the last value before the sum has fallen far enough
  const rest = excess.sub(fallen.gather(1, at));
  return values.gather(1, at).add(rest.div(shrinking.gather(1, at).clamp(1, Number.POSITIVE_INFINITY)));
}
