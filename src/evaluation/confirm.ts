import { unstackImages } from '../data/image-stack.js';
import type { Classifier } from '../nn/classifier.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { misclassified } from './misclassified.js';

/**
 * Confirms suspects [K, C, H, W] with the exact model: the images that it misclassifies, float32, by their index.
 */
export function confirmMisclassified(
  suspects: Tensor,
  options: { readonly labels: readonly number[]; readonly exact: Classifier; readonly random: boolean },
): Map<number, Float32Array> {
  const { labels, exact, random } = options;
  return scope(() => {
    const candidates = suspects.to('float32');
    const { rows: confirmed } = misclassified(exact, candidates, { labels, random });
    if (confirmed.length === 0) return new Map();
    const images = unstackImages(candidates);
    return new Map(confirmed.map((index) => [index, images[index]!]));
  });
}
