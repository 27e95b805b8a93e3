import { operator } from './tensor/operator.js';
import { one, type Tensor } from './tensor/tensor.js';

const reductions = { none: 0, mean: 1, sum: 2 } as const;

/**
 * Cross-entropy −log softmax(logits)[label], with label smoothing s: (1 − s) of it plus s times the mean over classes.
 * logits [N, C], labels int64 [N] → a number, or [N] for `none`.
 */
export function crossEntropy(
  logits: Tensor,
  labels: Tensor,
  options: { readonly reduction?: keyof typeof reductions; readonly labelSmoothing?: number } = {},
): Tensor {
  const { reduction = 'mean', labelSmoothing = 0 } = options;
  return one(
    crossEntropyOperator,
    logits.handle,
    labels.handle,
    undefined,
    reductions[reduction],
    -100,
    labelSmoothing,
  );
}

const crossEntropyOperator = operator('aten::cross_entropy_loss');
