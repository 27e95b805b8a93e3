import { operator } from '../tensor/operator.js';
import { one, type Tensor } from '../tensor/tensor.js';
import { haveKernel } from './have-kernel.js';
import { sorted } from './sorted.js';

/**
 * The signs of the largest entries of each gradient, divided by their number: a step of norm 1 in L1 that moves the most
 * influential pixels by the same amount. Kept is what is no smaller than the entry of place ⌊(1 − share) d⌋ of the d entries in
 * ascending order, one at least; NaN counts as 0. gradient [N, C, H, W], share [N] → [N, C, H, W].
 *
 * Satin's own operator finds that entry bit by bit, in float32 on the CPU; elsewhere they are sorted.
 */
export function sparseDirection(gradient: Tensor, share: Tensor): Tensor {
  if (haveKernel(gradient)) return one(directionOperator, gradient.handle, share.handle);
  return composedSparseDirection(gradient, share);
}

const directionOperator = operator('satin::sparse_direction');

/** The same of libtorch's operators. */
export function composedSparseDirection(gradient: Tensor, share: Tensor): Tensor {
  const known = gradient.nanToNum();
  const sizes = known.abs().flatten(1); // [N, d]
  const count = sizes.dimension(1);
  const place = share
    .neg()
    .add(1)
    .mul(count)
    .clamp(0, count - 1)
    .to('int64');
  const least = sorted(sizes).values.gather(1, place.unsqueeze(1)); // [N, 1]
  const isKept = sizes.less(least).not().reshape(known.shape);
  const signs = known.sign().mul(isKept.to(known.dtype));
  return signs.div(signs.abs().sum([1, 2, 3], true).add(1e-10));
}
