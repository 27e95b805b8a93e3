import type { Classifier } from '../nn/classifier.js';
import { noGrad } from '../tensor/gradient.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';

/** How often a model that answers at random is asked about an image. */
export const randomPasses = 20;

export interface Misclassified {
  /** The places of the images that are misclassified. */
  readonly rows: readonly number[];
  /** How many classes the model knows. */
  readonly classes: number;
}

/**
 * Which images `x` [N, C, H, W] a model gets wrong: in its one pass, or, where it answers at random, in more than half of
 * 20 passes. So one unlucky pass breaks nothing, and a tie speaks for the model.
 */
export function misclassified(
  classify: Classifier,
  x: Tensor,
  options: { readonly labels: readonly number[]; readonly random: boolean },
): Misclassified {
  const { labels, random } = options;
  const passes = random ? randomPasses : 1;
  const misses = labels.map(() => 0);
  let classes = 0;
  for (let pass = 0; pass < passes; pass++)
    scope(() => {
      const logits = noGrad(() => classify(x));
      classes = logits.dimension(1);
      for (const place of misclassifiedRows(logits, labels)) misses[place]! += 1;
    });
  return { rows: [...misses.keys()].filter((place) => misses[place]! > passes / 2), classes };
}

/** Where the largest logit is not the label's. An example with a logit that is no number counts as wrong. */
export function misclassifiedRows(logits: Tensor, labels: readonly number[]): number[] {
  return scope(() => {
    const plain = logits.detach();
    const [predicted, largest] = [plain.argmax(1).numbers(), plain.max([1]).numbers()]; // NaN is the largest of all
    return labels
      .map((_, place) => place)
      .filter((place) => predicted[place] !== labels[place] || Number.isNaN(largest[place]));
  });
}
