import type { DatasetTensors } from '../data/dataset-tensors.js';
import { stackImages } from '../data/image-stack.js';
import { type ProcessGroup, singleProcess } from '../distributed/process-group.js';
import type { Classifier } from '../nn/classifier.js';
import { noGrad } from '../tensor/gradient.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { batches } from './batches.js';
import { padSingleton } from './model-under-test.js';
import type { ExampleResult } from './result.js';

/**
 * The examples with the classes that the model predicts for the image and for the adversarial image that is known of it. A
 * prediction never contradicts the verdict: where rounding in another batch would, it is left out.
 */
export function withPredictions(
  perExample: readonly ExampleResult[],
  options: {
    /** The exact model; a randomised one predicts something else at each pass and is not asked. */
    readonly classify: Classifier;
    readonly data: DatasetTensors;
    /** Adversarial images by index, [C, H, W]. */
    readonly adversarial: ReadonlyMap<number, Float32Array>;
    readonly batch: number;
    /** Processes that share the examples: each asks the model about the adversarial images that it has. */
    readonly group?: ProcessGroup;
  },
): ExampleResult[] {
  const { data, adversarial, batch, group = singleProcess } = options;
  const { classes, shape } = data.dataset;
  const classify = padSingleton(options.classify);
  const predict = (indices: readonly number[], imagesOf: (chunk: readonly number[]) => Tensor) =>
    new Map(
      [...batches(indices, batch)].flatMap((chunk) => {
        const labels = scope(() =>
          noGrad(() => classify(imagesOf(chunk)))
            .argmax(1)
            .numbers(),
        );
        return chunk.map((index, row) => [index, labels[row]!] as const);
      }),
    );
  const clean = predict([...perExample.keys()], (chunk) => data.batch(chunk).x);
  const attacked = predict([...adversarial.keys()], (chunk) =>
    stackImages(
      chunk.map((index) => adversarial.get(index)!),
      shape,
      data.device,
    ),
  );
  // Of every image one process at most has the adversarial one; 0 stands for none.
  const fooledBy = group.allReduce(perExample.map((_, index) => (attacked.get(index) ?? -1) + 1));
  return perExample.map((example, index) => {
    const predicted = clean.get(index)!;
    const label = fooledBy[index]! - 1;
    const fooled = example.brokenBy === null || label < 0 ? undefined : label;
    return {
      ...example,
      ...((predicted === example.label) === example.clean && { predicted: classes[predicted]! }),
      ...(fooled !== undefined && fooled !== example.label && { attacked: classes[fooled]! }),
    };
  });
}
