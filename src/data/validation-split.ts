import { InputError } from '../errors.js';
import { classCounts, drawStratified, proportionalCounts } from './stratify.js';

export interface ValidationCut {
  /** Labels of the whole training set. */
  readonly labels: ArrayLike<number>;
  /** Identifies each example: its id, or its path. */
  readonly keys: ArrayLike<number | string>;
  readonly classes: number;
  /** Number of examples, or a fraction below 1 of the training set; 0 for none. */
  readonly validation: number;
  /** Seed of the split; independent of the run's seed, so that paired runs share it. */
  readonly seed: number;
}

/**
 * Splits a training set into training and validation examples, stratified by class: of each class those whose sha256 of
 * (seed, key) comes first. Both lists are indices, ascending.
 *
 * @throws {InputError} for an amount that would leave a class without training examples.
 */
export function cutValidation({ labels, keys, classes, validation, seed }: ValidationCut): {
  readonly train: Uint32Array;
  readonly validation: Uint32Array;
} {
  const sizes = classCounts(labels, classes);
  const most = sizes.reduce((sum, size) => sum + Math.max(0, size - 1), 0);
  const count = validationCount(validation, { examples: labels.length, classes, most });
  const counts = proportionalCounts(sizes, count, 1);
  const drawn = drawStratified({ purpose: 'validation', seed, labels, keys, counts });
  return { train: positionsWithout(drawn, labels.length), validation: drawn };
}

/**
 * The number of examples that `validation`, a number or a fraction below 1, comes to.
 *
 * @throws {InputError} for more than `most`, and for a fraction that is rounded to none.
 */
export function validationCount(
  validation: number,
  whole: {
    /** Of the whole training set. */
    readonly examples: number;
    readonly classes: number;
    readonly most: number;
  },
): number {
  const { examples, classes, most } = whole;
  const fraction = validation > 0 && validation < 1;
  const count = fraction ? Math.round(validation * examples) : validation;
  const isNone = fraction && count === 0;
  if (!Number.isInteger(count) || count < 0 || count > most || (isNone && most === 0))
    throw InputError.expected(
      most === 0 ? '0' : `a whole number of examples from 0 to ${most}, or a fraction between 0 and 1,`,
      'the validation split',
      validation,
      `The training set has ${examples} examples of ${classes} classes, and one of each class stays in it.`,
    );
  if (isNone)
    throw InputError.expected(
      `a share that is at least one of the ${examples} training examples`,
      'the validation split',
      validation,
      'Rounded, it is none of them. Set data.validation to a number of examples, a larger share, or 0 for none.',
    );
  return count;
}

/** The indices 0 to `count` - 1 without those in `taken`, ascending. */
export function positionsWithout(taken: Uint32Array, count: number): Uint32Array {
  const out = new Set(taken);
  return Uint32Array.from({ length: count }, (_, position) => position).filter(
    (position) => !out.has(position),
  );
}
