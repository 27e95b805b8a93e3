import { stack } from '../../tensor/create.js';
import { noGrad } from '../../tensor/gradient.js';
import { scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';

/**
 * Clips the joint L2 norm of all gradients to `limit`, in place, as PyTorch does: scales by limit / (norm + 1e-6) if
 * that is below 1.
 *
 * @returns the norm before clipping; if it is not finite the gradients are unchanged.
 */
export function clipNorm(gradients: readonly Tensor[], limit: number): number {
  return noGrad(() =>
    scope(() => {
      const norms = gradients.map((gradient) => gradient.l2Norm([...gradient.shape.keys()]));
      const norm = Math.hypot(...stack(norms).numbers());
      const factor = limit / (norm + 1e-6);
      if (Number.isFinite(norm) && factor < 1) for (const gradient of gradients) gradient.mul_(factor);
      return norm;
    }),
  );
}
