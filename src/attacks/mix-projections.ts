import { where } from '../tensor/create.js';
import { operator } from '../tensor/operator.js';
import { one, type Tensor } from '../tensor/tensor.js';
import { haveKernel } from './have-kernel.js';

/** Each projection is extended by this factor, to cross the boundary. */
const overshoot = 1.05;

/** FAB's point and its image, [n, C, H, W], the steps from both to the hyperplane, and the weight of the image's. */
export interface Projections {
  readonly x: Tensor;
  readonly fromPoint: Tensor;
  readonly origin: Tensor;
  readonly fromImage: Tensor;
  readonly alpha: Tensor; // [n, 1, 1, 1]
}

/**
 * (x + 1.05 δ_x)(1 − α) + (x₀ + 1.05 δ_0) α, clipped to [0, 1]; x where that is no number. [n, C, H, W]
 *
 * Satin's own operator computes it in one pass over memory, in float32 on the CPU.
 */
export function mixProjections(at: Projections): Tensor {
  const { x, fromPoint, origin, fromImage, alpha } = at;
  if (!haveKernel(x, fromPoint, origin, fromImage)) return composedMixOfProjections(at);
  const handles = [x, fromPoint, origin, fromImage, alpha].map((each) => each.handle);
  return one(mixOperator, ...handles, overshoot);
}

/** The same of libtorch's operators. */
export function composedMixOfProjections({ x, fromPoint, origin, fromImage, alpha }: Projections): Tensor {
  const mixed = x
    .add(fromPoint.mul(overshoot))
    .mul(alpha.neg().add(1))
    .add(origin.add(fromImage.mul(overshoot)).mul(alpha))
    .clamp(0, 1);
  const sum = mixed.sum([1, 2, 3], true); // propagates NaN
  return where(sum.eq(sum), mixed, x);
}

const mixOperator = operator('satin::mix_projections');
