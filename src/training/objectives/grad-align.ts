import { norms } from '../../attacks/norms.js';
import type { Batch } from '../../data/dataset-tensors.js';
import type { Model } from '../../models/model.js';
import { crossEntropy } from '../../nn/losses.js';
import type { Pass } from '../../nn/module.js';
import { gradient } from '../../tensor/gradient.js';
import { scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { StepContext } from './objective.js';

/** GradAlign, a regulariser against catastrophic overfitting of single-step attacks. */
export interface GradAlignOptions {
  /** λ, the weight of the penalty (the authors: 0.2 at ε = 8/255 on CIFAR-10). */
  readonly weight: number;
  /**
   * Treat the gradient at the clean image as a constant, as in the authors' code for single-step attacks; for other
   * attacks their code differentiates both. @default true
   */
  readonly detach?: boolean;
}

export interface MisalignmentOptions {
  /** Radius of the noise in L∞. */
  readonly epsilon: number;
  readonly detach: boolean;
  readonly context: StepContext;
  /** Forward pass of the update. */
  readonly pass: Pass;
}

/**
 * The GradAlign penalty (Andriushchenko and Flammarion, 2020): 1 − cos(∇ₓ L(x), ∇ₓ L(x + η)) with η uniform in [−ε, ε]
 * and L the cross-entropy, averaged over the images for which both gradients are nonzero. The noise is not clipped to
 * the box. Both gradients are computed in training mode; the running statistics of batch norm are not updated, unlike
 * in the authors' code. Differentiable once.
 *
 * @returns a scalar with its graph; 0 if every gradient is 0.
 */
export function misalignmentPenalty(
  model: Model,
  { x, labels, ids }: Batch,
  options: MisalignmentOptions,
): Tensor {
  const { epsilon, detach, context } = options;
  const singlePass = { ...options.pass, keepStatistics: true };
  const twice = { ...singlePass, doubleBackward: true };
  const gradientAt = (images: Tensor, pass: Pass, createGraph: boolean): Tensor =>
    scope(() => {
      const point = images.detach().requireGrad_();
      const loss = crossEntropy(model.forward(point, pass), labels, { reduction: 'sum' });
      return gradient(loss, point, { createGraph });
    });
  const key = { seed: context.seed, stream: 'gradAlign', epoch: context.epoch } as const;
  const noisy = norms.linf.randomStart(x, { epsilon, key, ids, clip: false });
  const clean = detach
    ? model.network.frozen(() => gradientAt(x, singlePass, false))
    : gradientAt(x, twice, true);
  const perturbed = gradientAt(noisy, twice, true);

  const { direction } = norms.l2;
  const cosine = direction(clean).mul(direction(perturbed)).sum([1, 2, 3]); // [N]
  const included = isNotZero(clean).mul(isNotZero(perturbed)).to(x.dtype); // [N]
  return included.sub(cosine).sum().div(included.sum().clamp(1, Number.POSITIVE_INFINITY));
}

/** Whether an image's gradient has a nonzero entry, bool [N]. */
function isNotZero(grad: Tensor): Tensor {
  return grad.detach().abs().max([1, 2, 3]).greater(0);
}
