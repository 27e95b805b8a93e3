import { where } from '../tensor/create.js';
import { operator } from '../tensor/operator.js';
import { one, type Tensor } from '../tensor/tensor.js';
import { haveKernel } from './have-kernel.js';
import { placed, runningSum, sorted } from './sorted.js';

/** A hyperplane per image: w · (z − x) = −excess. */
export interface Hyperplane {
  readonly w: Tensor; // [N, C, H, W]
  readonly excess: Tensor; // [N]
}

/**
 * The smallest step in L1 from each image to a hyperplane within the box [0, 1]; if the box does not intersect the hyperplane,
 * it goes as close as the box allows. The pixels of the largest |w| cross the most for each unit of the step: they move to
 * their walls in this order, the last of them only as far as needed. In float64, whatever the dtype; reads nothing on the way.
 * x and w [N, C, H, W], excess [N] → [N, C, H, W].
 *
 * Satin's own operator finds the |w| of the last of them bit by bit, in float32 on the CPU; elsewhere they are sorted.
 */
export function greedyStep(x: Tensor, plane: Hyperplane): Tensor {
  const { w, excess } = plane;
  if (haveKernel(x, w)) return one(greedyOperator, x.handle, w.handle, excess.handle);
  return composedGreedyStep(x, plane);
}

const greedyOperator = operator('satin::greedy_step');

/** The same of libtorch's operators. */
export function composedGreedyStep(x: Tensor, { w, excess }: Hyperplane): Tensor {
  const far = excess.to('float64').reshape([-1, 1]); // [N, 1]
  const pixels = x.flatten(1).to('float64'); // [N, d]
  // Against the side of the plane on which the image lies.
  const down = w
    .flatten(1)
    .to('float64')
    .mul(where(far.less(0), far.mul(0).sub(1), far.mul(0).add(1)));
  const steepness = down.abs();
  const room = where(down.greater(0), pixels, pixels.neg().add(1));
  const crossed = steepness.mul(room); // on the way to the wall
  const { values, places } = sorted(steepness, { descending: true });
  const most = crossed.gather(1, places);
  const before = runningSum(most).sub(most);
  const share = far.abs().sub(before).clamp(0, Number.POSITIVE_INFINITY).minimum(most);
  const moves = placed(share.div(where(values.greater(0), values, values.mul(0).add(1))), places);
  return down.sign().neg().mul(moves.minimum(room)).to(x.dtype).reshape(x.shape);
}
