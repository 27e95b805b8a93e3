import type { Attack } from '../attacks/attack.js';
import { InputError } from '../errors.js';
import type { Classifier } from '../nn/classifier.js';
import { cat } from '../tensor/create.js';
import type { Tensor } from '../tensor/tensor.js';

/** A network under evaluation. */
export interface ModelUnderTest {
  /** The model as it was given: it alone decides whether an example is broken. */
  readonly exact: Classifier;
  /** The same function up to rounding, for the attacks; `classify` where there is nothing faster. */
  readonly fast: Classifier;
  /** The same values with another activation's derivative, by the activation's name, for attacks through it. */
  readonly surrogates?: ReadonlyMap<string, Classifier>;
  /** It answers at random: an image counts as misclassified where most of 20 passes get it wrong. @default false */
  readonly random?: boolean;
}

/** The classifier that an attack takes its gradients of. */
export function classifierFor(subject: ModelUnderTest, { name, surrogate }: Attack): Classifier {
  if (surrogate === undefined) return subject.fast;
  const classifier = subject.surrogates?.get(surrogate);
  if (classifier === undefined)
    throw InputError.expected(`a classifier with the derivative of ${surrogate}`, name, 'none');
  return classifier;
}

/**
 * The same classifier with a batch of one example doubled: libtorch takes another path for one example, with other
 * rounding, and an example's verdict shall not depend on the batch it comes in.
 */
export function padSingleton(classifier: Classifier): Classifier {
  return (x) => (x.dimension(0) === 1 ? classifier(cat([x, x])).narrow(0, 0, 1) : classifier(x));
}

/** Passes forward, and backward, of images through a network. */
export interface PassCount {
  forwards: number;
  backwards: number;
}

/** The same classifier that counts the images it is shown. */
export function countingPasses(classifier: Classifier, count: PassCount): Classifier {
  return (x: Tensor) => {
    count.forwards += x.dimension(0);
    return classifier(x);
  };
}
