import { klDivergence } from '../../nn/losses.js';
import { logSoftmax } from '../../tensor/functional.js';
import { weightedCrossEntropy, weightedMean } from './class-weights.js';
import type { TrainingLoss } from './objective.js';

/**
 * TRADES (Zhang et al., 2019): CE(f(x), y) + β KL(p(x) ‖ p(x′)), averaged over the batch; class weights
 * apply to both terms. Gradients flow through both
 * predictions; label smoothing applies to the cross-entropy. The authors' code runs a second forward pass of the clean
 * images for the divergence. It has the same result and is omitted here, so that the running statistics of batch norm
 * are updated twice per step, by the clean and then by the adversarial images, instead of three times.
 */
export function trades(options: { readonly beta: number; readonly labelSmoothing: number }): TrainingLoss {
  const { beta, labelSmoothing } = options;
  return (model, { x, adversarial, labels, weights }, pass) => {
    const clean = model.forward(x, pass); // [N, classes]
    const logits = model.forward(adversarial, pass); // [N, classes]
    const divergences = klDivergence(logSoftmax(clean), logSoftmax(logits), { reduction: 'none' }); // [N]
    const divergence = weightedMean(divergences, labels, weights);
    const natural = weightedCrossEntropy(clean, labels, { labelSmoothing, weights });
    return { loss: natural.add(divergence.mul(beta)), logits };
  };
}
