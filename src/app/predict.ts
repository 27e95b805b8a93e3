import { toPixels } from '../data/dataset-tensors.js';
import { padSingleton } from '../evaluation/model-under-test.js';
import type { Model } from '../models/model.js';
import type { Classifier } from '../nn/classifier.js';
import { tensor } from '../tensor/create.js';
import { softmax } from '../tensor/functional.js';
import { noGrad } from '../tensor/gradient.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';

export interface Prediction {
  /** Name of the class. */
  readonly class: string;
  /** 0 to 1. */
  readonly probability: number;
}

/** Images that go through the network together. */
const batch = 64;
/** How many classes are told of each image, at most. */
const told = 3;

/** The likeliest classes of each image, likeliest first. `images` are bytes [N, C, H, W] of the model's shape. */
export function predict(model: Model, images: Uint8Array): Prediction[][] {
  const { shape, classes } = model.description;
  const bytes = shape[0] * shape[1] * shape[2];
  const count = Math.min(told, classes.length);
  const predictions: Prediction[][] = [];
  for (let start = 0; start < images.length; start += batch * bytes)
    scope(() => {
      const part = images.subarray(start, start + batch * bytes);
      const x = toPixels(tensor(part, [part.length / bytes, ...shape])); // [n, C, H, W]
      const { values, indices } = noGrad(() => softmax(padSingleton(model.classify)(x)).topk(count));
      const [probabilities, labels] = [values.numbers(), indices.numbers()]; // [n, count] each
      for (let from = 0; from < labels.length; from += count)
        predictions.push(
          Array.from({ length: count }, (_, rank) => ({
            class: classes[labels[from + rank]!]!,
            probability: probabilities[from + rank]!,
          })),
        );
    });
  return predictions;
}

/** What a network says of one image. */
export interface TopPrediction {
  /** The likeliest class. */
  readonly label: number;
  /** That class's, 0 to 1. */
  readonly probability: number;
}

/** The likeliest class of each image `x` [N, C, H, W], and its probability by the softmax. */
export function topPredictions(classify: Classifier, x: Tensor): TopPrediction[] {
  return scope(() => {
    const { values, indices } = noGrad(() => softmax(classify(x)).topk(1));
    const [probabilities, labels] = [values.numbers(), indices.numbers()];
    return Array.from(labels, (label, at) => ({ label, probability: probabilities[at]! }));
  });
}
