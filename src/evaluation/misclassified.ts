import type { Classifier } from '../nn/classifier.js';
import { noGrad } from '../tensor/gradient.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';

/** Number of passes over an image for a randomized model. */
export const verdictPasses = 20;

export interface Misclassified {
  /** Rows of the misclassified images. */
  readonly rows: readonly number[];
  /** Number of classes of the model. */
  readonly classes: number;
}

/**
 * The images `x` [N, C, H, W] that a model misclassifies: in one pass or, if it is randomized, in more than half of 20
 * passes. A tie counts as correct.
 */
export function misclassified(
  classify: Classifier,
  x: Tensor,
  options: { readonly labels: readonly number[]; readonly random: boolean },
): Misclassified {
  const { labels, random } = options;
  const passes = random ? verdictPasses : 1;
  const misses = labels.map(() => 0);
  let classes = 0;
  for (let pass = 0; pass < passes; pass++)
    scope(() => {
      const logits = noGrad(() => classify(x));
      classes = logits.dimension(1);
      for (const row of misclassifiedRows(logits, labels)) misses[row]! += 1;
    });
  return { rows: [...misses.keys()].filter((row) => misses[row]! > passes / 2), classes };
}

/** Rows where the argmax of the logits is not the label. An example with a NaN logit counts as misclassified. */
export function misclassifiedRows(logits: Tensor, labels: readonly number[]): number[] {
  return scope(() => {
    const plain = logits.detach();
    const [predicted, largest] = [plain.argmax(1).numbers(), plain.max([1]).numbers()]; // max propagates NaN
    return labels
      .map((_, row) => row)
      .filter((row) => predicted[row] !== labels[row] || Number.isNaN(largest[row]));
  });
}
