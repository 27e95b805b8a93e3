import { toPixels } from '../data/dataset-tensors.js';
import { padSingleton } from '../evaluation/model-under-test.js';
import type { Classifier } from '../nn/classifier.js';
import { tensor } from '../tensor/create.js';
import { softmax } from '../tensor/functional.js';
import { noGrad } from '../tensor/gradient.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { requireArgument, requireList } from '../user-input/require-argument.js';
import type { AttackableModel } from './model/open-model.js';

export interface Prediction {
  /** Name of the class. */
  readonly class: string;
  /** 0 to 1. */
  readonly probability: number;
}

/** Batch size. */
const batch = 64;
/** Largest number of classes reported per image. */
const told = 3;

/** The images to classify. */
export interface PredictedImages {
  /** Bytes [N, C, H, W]. */
  readonly images: Uint8Array;
  /** [C, H, W], as the model takes them. */
  readonly shape: readonly [channels: number, height: number, width: number];
  /** Names of the classes, in the order of the outputs. */
  readonly classes: readonly string[];
  readonly onProgress?: (done: number, total: number) => void;
}

/** The most likely classes of each image, in descending order. */
export function predict(
  model: Pick<AttackableModel, 'classify' | 'device'>,
  predicted: PredictedImages,
): Prediction[][] {
  requireArgument(model, 'classifier', 'predict');
  requireArgument(predicted, 'options', 'predict');
  const { images, shape, classes, onProgress } = predicted;
  requireArgument(images, 'bytes', 'the images of predict');
  requireList(shape, 'count', 'the shape of predict');
  requireList(classes, 'text', 'the classes of predict');
  const bytes = shape[0] * shape[1] * shape[2];
  const count = Math.min(told, classes.length);
  const predictions: Prediction[][] = [];
  for (let start = 0; start < images.length; start += batch * bytes)
    scope(() => {
      onProgress?.(start / bytes, images.length / bytes);
      const part = images.subarray(start, start + batch * bytes);
      const x = toPixels(tensor(part, [part.length / bytes, ...shape], model.device)); // [n, C, H, W]
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

/** The top-1 prediction of one image. */
export interface TopPrediction {
  /** Index of the class. */
  readonly label: number;
  /** Softmax probability, 0 to 1. */
  readonly probability: number;
}

/** The top-1 prediction of each image in `x` [N, C, H, W]. */
export function topPredictions(classify: Classifier, x: Tensor): TopPrediction[] {
  return scope(() => {
    const { values, indices } = noGrad(() => softmax(classify(x)).topk(1));
    const [probabilities, labels] = [values.numbers(), indices.numbers()];
    return Array.from(labels, (label, at) => ({ label, probability: probabilities[at]! }));
  });
}
