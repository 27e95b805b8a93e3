import { crossEntropy } from '../../nn/losses.js';
import type { Tensor } from '../../tensor/tensor.js';

/**
 * Class weights in a step: its loss is Σ w_y l / Σ w_y over the images of the whole batch. A rank, or an accumulation part,
 * has N of them, and its loss is Σ w_y l / (N w̄), so that the mean over equal parts is that of the whole.
 */
export interface ClassWeights {
  /** w, one for each class, [classes]. */
  readonly ofClass: Tensor;
  /** w̄: mean weight of the images of the whole batch. */
  readonly mean: number;
}

/** The weighted mean of a loss of each image, [N] → a scalar; the mean where nothing is weighted. */
export function weightedMean(each: Tensor, labels: Tensor, weights: ClassWeights | undefined): Tensor {
  if (weights === undefined) return each.mean();
  const { ofClass, mean } = weights;
  const ofImage = ofClass.to(each.dtype).indexSelect(0, labels); // [N]
  return each.mul(ofImage).mean().div(mean);
}

/**
 * The weighted mean of the cross-entropy; the mean where nothing is weighted. As in PyTorch's CrossEntropyLoss(weight), the
 * smoothed part of a label counts with the weight of its class. logits [N, classes], labels int64 [N] → a scalar.
 */
export function weightedCrossEntropy(
  logits: Tensor,
  labels: Tensor,
  options: { readonly labelSmoothing?: number; readonly weights: ClassWeights | undefined },
): Tensor {
  const { labelSmoothing = 0, weights } = options;
  if (weights === undefined) return crossEntropy(logits, labels, { labelSmoothing });
  const weight = weights.ofClass.to(logits.dtype);
  const sum = crossEntropy(logits, labels, { labelSmoothing, weight, reduction: 'sum' });
  return sum.div(labels.size * weights.mean);
}
