import type { NormName } from '../../attacks/norms.js';
import { type ProcessGroup, singleProcess } from '../../distributed/process-group.js';
import { crossEntropy } from '../../nn/losses.js';
import { gradient } from '../../tensor/gradient.js';
import { scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { gradientsOf, type Objective, stateless, trainingPass } from './objective.js';
import { passAt, type UpdatePass } from './update-pass-options.js';

export interface GradientNormOptions {
  /** The norm of the threat model; the gradient is measured in its dual: L1 for L∞, L2 for L2, L∞ for L1. */
  readonly norm: NormName;
  /** Radius of the threat model, for pixels in [0, 1]. */
  readonly epsilon: number;
  /** Weight of the cross-entropy. */
  readonly crossEntropy: number;
  /** Weight of the penalty after its warm-up. */
  readonly penalty: number;
  /** Epochs in which the penalty's weight grows from 0, linearly; 0 for none. */
  readonly warmup: number;
  /** In both terms. @default 0 */
  readonly labelSmoothing?: number;
  /** Forward pass. @default { train: true } */
  readonly pass?: UpdatePass;
  /** @default a single process */
  readonly group?: ProcessGroup;
}

/**
 * Training without an attack, by the norm of the input's gradient (Rodríguez-Muñoz, Wang and Torralba, 2024): a mean(L) + b r ε
 * mean(‖∇ₓL‖*), with L the cross-entropy of the clean images, ‖·‖* the dual of the threat model's norm, so that ε ‖∇ₓL‖* is the
 * growth of L at distance ε to first order, and r = min(1, step / (warmup · steps of an epoch)). Needs second derivatives of
 * everything in the network: of ReLU's they are 0.
 *
 * As in the authors' code (adriarm/robustness_input_gradients at 800ade9: adversarial_training.py, and DBP of
 * input_norm_losses.py), which takes the gradient with respect to normalised inputs and divides ε by 0.225, one channel's standard
 * deviation, for all; here it is with respect to pixels. With class weights L is the weighted one, in both terms. With batch
 * statistics, ∇ₓ of an image is that of the whole batch's loss.
 */
export function gradientNorm(options: GradientNormOptions): Objective {
  const { norm, epsilon, penalty, warmup, labelSmoothing = 0, group = singleProcess } = options;
  return stateless((model, batch, context) => {
    const { labels } = batch;
    const pass = { ...passAt(options.pass ?? trainingPass, batch, context), doubleBackward: true };
    const ramp = warmup === 0 ? 1 : Math.min(1, context.step / (warmup * context.stepsPerEpoch));
    const compute = () =>
      scope(() => {
        const x = batch.x.detach().requireGrad_();
        const logits = model.forward(x, pass);
        const { ofClass, mean = 1 } = context.classWeights ?? {};
        const weight = ofClass?.to(logits.dtype);
        const sum = crossEntropy(logits, labels, { reduction: 'sum', labelSmoothing, weight });
        const growth = dualNorm[norm](gradient(sum, x, { createGraph: true })).mean();
        const loss = sum
          .mul(options.crossEntropy / (labels.size * mean))
          .add(growth.mul((penalty * ramp * epsilon) / mean));
        return { loss, logits };
      });
    return gradientsOf(model, { labels, group, compute });
  });
}

/** Of each image, [N, C, H, W] -> [N]. */
const dualNorm: Readonly<Record<NormName, (gradients: Tensor) => Tensor>> = {
  linf: (gradients) => gradients.abs().sum([1, 2, 3]),
  l2: (gradients) => gradients.l2Norm([1, 2, 3]),
  l1: (gradients) => gradients.abs().max([1, 2, 3]),
};
