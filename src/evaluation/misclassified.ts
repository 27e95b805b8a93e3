import { isMisclassified } from '../attacks/is-misclassified.js';
import type { Classifier } from '../nn/classifier.js';
import { integers, zeros } from '../tensor/create.js';
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
  let classes = 0;
  return scope(() => {
    const truth = integers(labels, x.device);
    let misses = zeros([labels.length], 'int64', x.device);
    for (let pass = 0; pass < passes; pass++)
      misses = scope(() => {
        const logits = noGrad(() => classify(x));
        classes = logits.dimension(1);
        return misses.add(isMisclassified(logits, truth).to('int64'));
      });
    const counts = misses.numbers();
    return { rows: [...counts.keys()].filter((row) => counts[row]! > passes / 2), classes };
  });
}

/** Rows that are misclassified. */
export function misclassifiedRows(logits: Tensor, labels: readonly number[]): number[] {
  return scope(() => {
    const wrong = isMisclassified(logits, integers(labels, logits.device)).numbers();
    return [...wrong.keys()].filter((row) => wrong[row] !== 0);
  });
}
