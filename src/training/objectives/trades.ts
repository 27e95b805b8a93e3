import { crossEntropy, klDivergence } from '../../nn/losses.js';
import { logSoftmax } from '../../tensor/functional.js';
import type { TrainingLoss } from './objective.js';

/**
 * TRADES (Zhang et al., 2019): CE(f(x), y) + β KL(p(x) ‖ p(x′)), averaged over the batch. Gradients flow through both
 * predictions; label smoothing applies to the cross-entropy. The authors' code runs a second forward pass of the clean
 * images for the divergence. It has the same result and is omitted here, so that the running statistics of batch norm
 * are updated twice per step, by the clean and then by the adversarial images, instead of three times.
 */
export function trades(options: { readonly beta: number; readonly labelSmoothing: number }): TrainingLoss {
  const { beta, labelSmoothing } = options;
  return (model, { x, adversarial, labels }, pass) => {
    const clean = model.forward(x, pass); // [N, classes]
    const logits = model.forward(adversarial, pass); // [N, classes]
    const divergence = klDivergence(logSoftmax(clean), logSoftmax(logits));
    return { loss: crossEntropy(clean, labels, { labelSmoothing }).add(divergence.mul(beta)), logits };
  };
}
