import type { Attack } from '../attacks/attack.js';
import { InputError } from '../errors.js';
import type { Classifier } from '../nn/classifier.js';
import { cat } from '../tensor/create.js';

/** The model under evaluation. */
export interface ModelUnderTest {
  /** The original model, which alone decides whether an example is broken. */
  readonly exact: Classifier;
  /** The same function up to rounding, used by the attacks; equal to `exact` if there is no faster one. */
  readonly fast: Classifier;
  /** Classifiers with the same forward pass and the derivative of another activation, by the activation's name. */
  readonly surrogates?: ReadonlyMap<string, Classifier>;
  /** Randomized model: an image counts as misclassified if more than half of 20 passes are wrong. @default false */
  readonly random?: boolean;
}

/** The classifier through which an attack computes gradients. */
export function classifierFor(subject: ModelUnderTest, { name, surrogate }: Attack): Classifier {
  if (surrogate === undefined) return subject.fast;
  const classifier = subject.surrogates?.get(surrogate);
  if (classifier === undefined)
    throw InputError.expected(`a classifier with the derivative of ${surrogate}`, name, 'none');
  return classifier;
}

/**
 * Duplicates a batch of one example: libtorch uses a different kernel for a single example, with different rounding,
 * and a verdict must not depend on the batch size. An execution plan computes each image alone, and needs no second one.
 */
export function padSingleton(classifier: Classifier): Classifier {
  return (x, neighbours) =>
    x.dimension(0) === 1 && classifier.isPerImage?.(x) !== true
      ? classifier(cat([x, x])).narrow(0, 0, 1)
      : classifier(x, neighbours);
}

/** Number of images passed forward and backward through a network. */
export interface PassCount {
  forwards: number;
  backwards: number;
}

/** Wraps a classifier to count the images passed through it. */
export function countingPasses(classifier: Classifier, count: PassCount): Classifier {
  return (x, neighbours) => {
    count.forwards += x.dimension(0);
    return classifier(x, neighbours);
  };
}
