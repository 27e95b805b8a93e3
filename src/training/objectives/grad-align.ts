import { norms } from '../../attacks/norms.js';
import type { Batch } from '../../data/dataset-tensors.js';
import type { Model } from '../../models/model.js';
import { crossEntropy } from '../../nn/losses.js';
import type { Pass } from '../../nn/module.js';
import { gradient } from '../../tensor/gradient.js';
import { scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { StepContext } from './objective.js';

/** Gradient alignment: a penalty against catastrophic overfitting of one-step attacks. */
export interface GradAlignOptions {
  /** λ, before the penalty (the authors: 0.2 at ε = 8/255 on CIFAR-10). */
  readonly weight: number;
  /**
   * Whether the gradient at the image itself counts as a constant, as in the authors' code for one-step attacks; for
   * others their code differentiates both. @default true
   */
  readonly detach?: boolean;
}

export interface MisalignmentOptions {
  /** Radius of the noise, L∞. */
  readonly epsilon: number;
  readonly detach: boolean;
  readonly place: StepContext;
  /** How the update runs the network. */
  readonly pass: Pass;
}

/**
 * GradAlign's penalty (Andriushchenko and Flammarion, 2020): 1 − cos(∇ₓ L(x), ∇ₓ L(x + η)) with η uniform in [−ε, ε] and
 * L the cross-entropy, the mean over the images whose two gradients are not 0. The noise is not clipped to the box. Both
 * gradients are those of the network in training mode; the running statistics of batch norm stay as they are, where the
 * authors' code moves them. Differentiable once.
 *
 * @returns a number with its history; 0 where every gradient is 0.
 */
export function misalignment(model: Model, { x, labels, ids }: Batch, options: MisalignmentOptions): Tensor {
  const { epsilon, detach, place } = options;
  const once = { ...options.pass, keepStatistics: true };
  const twice = { ...once, doubleBackward: true };
  const slopeAt = (images: Tensor, pass: Pass, createGraph: boolean): Tensor =>
    scope(() => {
      const point = images.detach().requireGrad_();
      const loss = crossEntropy(model.forward(point, pass), labels, { reduction: 'sum' });
      return gradient(loss, point, { createGraph });
    });
  const key = { seed: place.seed, stream: 'gradAlign', epoch: place.epoch } as const;
  const noisy = norms.linf.randomStart(x, { epsilon, key, ids, clip: false });
  const here = detach ? model.network.frozen(() => slopeAt(x, once, false)) : slopeAt(x, twice, true);
  const there = slopeAt(noisy, twice, true);

  const { direction } = norms.l2;
  const cosine = direction(here).mul(direction(there)).sum([1, 2, 3]); // [N]
  const counts = isNotZero(here).mul(isNotZero(there)).to(x.dtype); // [N]
  return counts.sub(cosine).sum().div(counts.sum().clamp(1, Number.POSITIVE_INFINITY));
}

/** Whether an image's gradient has any number that is not 0, bool [N]. */
function isNotZero(slope: Tensor): Tensor {
  return slope.detach().abs().max([1, 2, 3]).greater(0);
}
