import type { Classifier } from '../nn/classifier.js';
import { softmax } from '../tensor/functional.js';
import { noGrad } from '../tensor/gradient.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';

/** What a network says of one image. */
export interface Answer {
  /** The likeliest class. */
  readonly label: number;
  /** That class's, 0 to 1. */
  readonly probability: number;
}

/** The likeliest class of each image `x` [N, C, H, W], and its probability by the softmax. */
export function answers(classify: Classifier, x: Tensor): Answer[] {
  return scope(() => {
    const { values, indices } = noGrad(() => softmax(classify(x)).topk(1));
    const [probabilities, labels] = [values.numbers(), indices.numbers()];
    return Array.from(labels, (label, at) => ({ label, probability: probabilities[at]! }));
  });
}
