import { crossEntropy, klDivergence } from '../../nn/losses.js';
import { logSoftmax } from '../../tensor/functional.js';
import type { TrainingLoss } from './objective.js';

/**
 * TRADES (Zhang et al., 2019): CE(f(x), y) + β KL(p(x) ‖ p(x′)), the mean over the batch. Gradients flow through both
 * predictions; label smoothing acts on the cross-entropy. The authors' code runs the clean images once more for the
 * divergence. That pass has the same result and is left out here, so that the running statistics of batch norm move
 * twice a step, by the clean images and then by the adversarial ones, where theirs move three times.
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
