import { norms } from '../../attacks/norms.js';
import type { Batch } from '../../data/dataset-tensors.js';
import type { Model } from '../../models/model.js';
import { crossEntropy } from '../../nn/losses.js';
import type { Pass } from '../../nn/module.js';
import { gradient } from '../../tensor/gradient.js';
import { scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { StepContext } from './objective.js';
import type { UnclippedStart } from './training-attack.js';

/** GradAlign, a regulariser against catastrophic overfitting of single-step attacks. */
export interface GradAlignOptions {
  /** λ, the weight of the penalty (the authors: 0.2 at ε = 8/255 on CIFAR-10). */
  readonly weight: number;
  /**
   * Where the gradient that the other one is compared with is taken: at the image, or at the first iterate of the attack,
   * as in the authors' code for one-step attacks. @default 'image'
   */
  readonly at?: 'image' | 'start';
  /**
   * Treat that gradient as a constant, as in the authors' code for single-step attacks; for other
   * attacks their code differentiates both. @default true
   */
  readonly detach?: boolean;
}

export interface MisalignmentOptions {
  /** The images, or the first iterates of the attack. */
  readonly at: UnclippedStart;
  /** Radius of the noise in L∞. */
  readonly epsilon: number;
  readonly detach: boolean;
  readonly context: StepContext;
  /** Forward pass of the update. */
  readonly pass: Pass;
}

/**
 * The GradAlign penalty (Andriushchenko and Flammarion, 2020): 1 − cos(∇L(a), ∇L(x + η)) with η uniform in [−ε, ε], L the
 * cross-entropy and a the image x or, as in the authors' code for one-step attacks, the attack's first iterate. That one is
 * clipped to the box and ∇ is the gradient of its noise, 0 where the noise left the box. Averaged over the images for which
 * both gradients are nonzero. The noise η is not clipped. Both gradients are computed in training mode; the running statistics of batch norm are not updated, unlike
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
  const gradientAt = ({ points, clip }: UnclippedStart, pass: Pass, createGraph: boolean): Tensor =>
    scope(() => {
      const point = points.detach().requireGrad_();
      const seen = clip ? point.clamp(0, 1) : point;
      const loss = crossEntropy(model.forward(seen, pass), labels, { reduction: 'sum' });
      return gradient(loss, point, { createGraph });
    });
  const key = { seed: context.seed, stream: 'gradAlign', epoch: context.epoch } as const;
  const noisy = norms.linf.randomStart(x, { epsilon, key, ids, clip: false });
  const first = detach
    ? model.network.frozen(() => gradientAt(options.at, singlePass, false))
    : gradientAt(options.at, twice, true);
  const perturbed = gradientAt({ points: noisy, clip: false }, twice, true);

  const { direction } = norms.l2;
  const cosine = direction(first).mul(direction(perturbed)).sum([1, 2, 3]); // [N]
  const included = isNotZero(first).mul(isNotZero(perturbed)).to(x.dtype); // [N]
  return included.sub(cosine).sum().div(included.sum().clamp(1, Number.POSITIVE_INFINITY));
}

/** Whether an image's gradient has a nonzero entry, bool [N]. */
function isNotZero(grad: Tensor): Tensor {
  return grad.detach().abs().max([1, 2, 3]).greater(0);
}
