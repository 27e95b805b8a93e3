import { ones, stack, tensor, where } from '../../tensor/create.js';
import { foreachMul_, foreachNorm } from '../../tensor/foreach.js';
import { noGrad } from '../../tensor/gradient.js';
import { scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';

/**
 * Clips the joint L2 norm of all gradients to `limit`, in place, as PyTorch does: scales by limit / (norm + 1e-6) if
 * that is below 1. If the norm is not finite the gradients are unchanged.
 *
 * On the CPU the norm is read and computed in float64; on a card it stays there, equal up to rounding.
 *
 * @returns the norm before clipping, a float64 scalar.
 */
export function clipNorm(gradients: readonly Tensor[], limit: number): Tensor {
  const clip = gradients[0]?.device === 'cpu' ? clipAfterReading : clipWithoutReading;
  return noGrad(() => scope(() => clip(gradients, limit)));
}

function clipAfterReading(gradients: readonly Tensor[], limit: number): Tensor {
  const norms = gradients.map((gradient) => gradient.l2Norm([...gradient.shape.keys()]));
  const norm = Math.hypot(...stack(norms).numbers());
  const factor = limit / (norm + 1e-6);
  if (Number.isFinite(norm) && factor < 1) foreachMul_(gradients, factor);
  return tensor(Float64Array.of(norm), []);
}

/** The same with every number on the device. */
export function clipWithoutReading(gradients: readonly Tensor[], limit: number): Tensor {
  const norm = stack(foreachNorm(gradients)).to('float64').l2Norm([0]);
  const one = ones([], 'float64', norm.device);
  const factor = where(norm.isFinite(), norm.add(1e-6).pow(-1).mul(limit).minimum(one), one);
  for (const gradient of gradients) gradient.mul_(factor.to(gradient.dtype));
  return norm;
}
