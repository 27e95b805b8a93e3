import { crossEntropy, klDivergence } from '../../nn/losses.js';
import { range, tensor, where } from '../../tensor/create.js';
import { logSoftmax } from '../../tensor/functional.js';
import { noGrad } from '../../tensor/gradient.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { TrainingLoss } from './objective.js';

/**
 * MART (Wang et al., 2020), the mean over the batch of
 * CE(f(x′), y) − log(1.0001 − max_{k≠y} p_k(x′)) + β KL(p(x) ‖ p(x′)) (1.0000001 − p_y(x)), with gradients through all.
 *
 * The authors' code subtracts from 1.0001 and 1.0000001 and takes log(p + 1e-12). Here 1 − p_k is the sum of the other
 * probabilities, and logarithms of probabilities come from the logits. What differs: their divergence is smaller by
 * p(x) log(1 + 1e-12 / p(x′)) for each class, which is nothing for p(x′) above 1e-6 and levels it off at 27.6 p(x) where
 * p(x′) vanishes; and in float32 their 1 − p_k carries a rounding of up to 6e-8, and 1.0000001 is 1.00000012.
 */
export function mart({ beta }: { readonly beta: number }): TrainingLoss {
  return (model, { x, adversarial, labels }, pass) => {
    const clean = logSoftmax(model.forward(x, pass)); // [N, classes]
    const logits = model.forward(adversarial, pass); // [N, classes]
    const robust = logSoftmax(logits); // [N, classes]
    const isLabel = isClass(labels, logits); // [N, classes]
    const isRival = isClass(likeliestBut(isLabel, logits), logits); // [N, classes]
    const shortfall = allBut(isRival, robust).add(1e-4).log().mean();
    const doubt = allBut(isLabel, clean).add(1e-7); // [N]
    const divergence = klDivergence(clean, robust, { reduction: 'none' }).mul(doubt).mean();
    return { loss: crossEntropy(logits, labels).sub(shortfall).add(divergence.mul(beta)), logits };
  };
}

/** Where the class of each row stands, bool [N, classes]; `places` is int64 [N]. */
function isClass(places: Tensor, { shape, device }: Tensor): Tensor {
  return places.unsqueeze(1).eq(range(shape.at(-1)!).toDevice(device));
}

/** The class of the largest logit apart from the excluded ones, int64 [N]. */
function likeliestBut(excluded: Tensor, logits: Tensor): Tensor {
  return noGrad(() => {
    const never = tensor(Float64Array.of(Number.NEGATIVE_INFINITY), [])
      .to(logits.dtype)
      .toDevice(logits.device);
    return where(excluded, never, logits).argmax(1);
  });
}

/** The probability of all classes apart from the excluded ones, [N]: 1 − p without its rounding. */
function allBut(excluded: Tensor, logProbabilities: Tensor): Tensor {
  return logProbabilities.exp().mul(excluded.not().to(logProbabilities.dtype)).sum([1]);
}
