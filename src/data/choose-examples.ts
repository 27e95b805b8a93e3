import { InputError } from '../errors.js';
import { requireArgument } from '../user-input/require-argument.js';
import type { Dataset } from './dataset.js';
import { classCounts, drawStratified, proportionalCounts } from './stratify.js';

/**
 * The positions of the `count` examples that an evaluation takes, ascending: the first `count` of sets that
 * their authors shuffled (idx and binary files, as RobustBench does), and of folders a draw by `seed` that keeps
 * the proportions of the classes, since their first images are all of one class. A count
 * that is no whole number from 1 to the size of the set is an `InputError`.
 */
export function chooseExamples(
  dataset: Pick<Dataset, 'ids' | 'labels' | 'classes' | 'order' | 'name'>,
  count: number,
  options: { readonly seed: number },
): Uint32Array {
  requireArgument(dataset, 'labelled', 'chooseExamples');
  requireArgument(options, 'options', 'chooseExamples');
  const { seed } = options;
  requireArgument(seed, 'whole', 'the seed of chooseExamples');
  const { ids, labels, classes, order, name } = dataset;
  if (!Number.isInteger(count) || count < 1 || count > ids.length)
    throw InputError.expected(
      ids.length === 0 ? 'a set that is not empty' : `a whole number from 1 to ${ids.length}`,
      `the examples of ${name}`,
      count,
    );
  if (order === 'file') return Uint32Array.from({ length: count }, (_, position) => position);
  const counts = proportionalCounts(classCounts(labels, classes.length), count);
  return drawStratified({ purpose: 'examples', seed, labels, keys: ids, counts });
}
