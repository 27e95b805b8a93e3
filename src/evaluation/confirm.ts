import { unstackImages } from '../data/image-stack.js';
import type { Classifier } from '../nn/classifier.js';
import { integers } from '../tensor/create.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { misclassified, misclassifiedRows } from './misclassified.js';

/**
 * Confirms adversarial images with the exact model: those of `x` that both `logits`, of the classifier under attack, and
 * `exact` misclassify, by their row in `x`.
 */
export function confirmMisclassified(
  candidate: { readonly x: Tensor; readonly logits: Tensor; readonly labels: readonly number[] },
  exact: Classifier,
  random: boolean,
): Map<number, Float32Array> {
  const { x, logits, labels } = candidate;
  const suspects = misclassifiedRows(logits, labels);
  if (suspects.length === 0) return new Map();
  return scope(() => {
    const candidates = x.detach().indexSelect(0, integers(suspects).toDevice(x.device)).to('float32');
    const { rows: confirmed } = misclassified(exact, candidates, {
      labels: suspects.map((row) => labels[row]!),
      random,
    });
    if (confirmed.length === 0) return new Map();
    const images = unstackImages(candidates);
    return new Map(confirmed.map((index) => [suspects[index]!, images[index]!]));
  });
}
