import { stack } from '../../tensor/create.js';
import { noGrad } from '../../tensor/gradient.js';
import { scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';

/**
 * Scales all gradients together, in place, to a joint L2 norm of at most `limit`, as PyTorch does: by
 * limit / (norm + 1e-6) where that is below 1.
 *
 * @returns the norm before; where it is not finite the gradients stay as they are.
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
