import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';

/**
 * Whether the argmax of the logits is not the label; an example with a NaN logit counts as misclassified. logits
 * [N, classes], labels int64 [N] → bool [N].
 */
export function isMisclassified(logits: Tensor, labels: Tensor): Tensor {
  return scope(() => {
    const plain = logits.detach();
    const largest = plain.max([1]); // propagates NaN
    return plain.argmax(1).ne(labels).maximum(largest.ne(largest)); // bool: or
  });
}
