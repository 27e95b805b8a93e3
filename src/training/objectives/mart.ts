import { klDivergence } from '../../nn/losses.js';
import { range, where, zeros } from '../../tensor/create.js';
import { logSoftmax } from '../../tensor/functional.js';
import { noGrad } from '../../tensor/gradient.js';
import type { Tensor } from '../../tensor/tensor.js';
import { weightedCrossEntropy, weightedMean } from './class-weights.js';
import type { TrainingLoss } from './objective.js';

/**
 * MART (Wang et al., 2020), the mean over the batch of
 * CE(f(x′), y) − log(1.0001 − max_{k≠y} p_k(x′)) + β KL(p(x) ‖ p(x′)) (1.0000001 − p_y(x)), differentiated through all
 * terms, to all of which class weights apply.
 *
 * The authors' code subtracts from 1.0001 and 1.0000001 and computes log(p + 1e-12). Here 1 − p_k is the sum of the
 * other probabilities, and log-probabilities are computed from the logits. The differences: their divergence is smaller
 * by p(x) log(1 + 1e-12 / p(x′)) per class, which is negligible for p(x′) above 1e-6 and caps it at 27.6 p(x) as p(x′)
 * vanishes; and in float32 their 1 − p_k has a rounding error of up to 6e-8, and 1.0000001 is 1.00000012.
 */
export function mart({ beta }: { readonly beta: number }): TrainingLoss {
  return (model, { x, adversarial, labels, weights }, pass) => {
    const clean = logSoftmax(model.forward(x, pass)); // [N, classes]
    const logits = model.forward(adversarial, pass); // [N, classes]
    const robust = logSoftmax(logits); // [N, classes]
    const isLabel = isClass(labels, logits); // [N, classes]
    const isLargestOther = isClass(mostLikelyExcept(isLabel, logits), logits); // [N, classes]
    const margins = probabilityExcept(isLargestOther, robust).add(1e-4).log(); // [N]
    const uncertainty = probabilityExcept(isLabel, clean).add(1e-7); // [N]
    const divergences = klDivergence(clean, robust, { reduction: 'none' }).mul(uncertainty); // [N]
    const [margin, divergence] = [margins, divergences].map((each) => weightedMean(each, labels, weights));
    const loss = weightedCrossEntropy(logits, labels, { weights }).sub(margin!).add(divergence!.mul(beta));
    return { loss, logits };
  };
}

/** One-hot mask of the classes [N], bool [N, classes]; `classes` is int64. */
function isClass(classes: Tensor, { shape, device }: Tensor): Tensor {
  return classes.unsqueeze(1).eq(range(shape.at(-1)!, device));
}

/** The class with the largest logit that is not excluded, int64 [N]. */
function mostLikelyExcept(excluded: Tensor, logits: Tensor): Tensor {
  return noGrad(() => {
    const negativeInfinity = zeros([], logits.dtype, logits.device).sub(Number.POSITIVE_INFINITY);
    return where(excluded, negativeInfinity, logits).argmax(1);
  });
}

/** The total probability of the classes not excluded, [N]: 1 − p without its rounding error. */
function probabilityExcept(excluded: Tensor, logProbabilities: Tensor): Tensor {
  return logProbabilities.exp().mul(excluded.not().to(logProbabilities.dtype)).sum([1]);
}
