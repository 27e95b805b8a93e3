import { InputError } from '../../errors.js';
import type { Recipe } from '../../recipe/recipe.js';
import { nameList } from '../../user-input/name-list.js';
import type { TrainingData } from './training-data.js';

const setting = 'training.classWeights';

/**
 * The weight of each class: as given, or n / (classes n_c) for n training images of which n_c are of the class, so that all
 * classes count the same in total and the mean weight is 1 (scikit-learn's `balanced`). null if all images count the same.
 *
 * @throws {InputError} for a list of another length, and where a class without images would be balanced.
 */
export function classWeightsOf(
  { training: { classWeights } }: Pick<Recipe, 'training'>,
  training: TrainingData['training'],
): readonly number[] | null {
  const { classes } = training;
  if (classWeights === null) return null;
  if (classWeights === 'balanced') {
    const counts = countsOf(training);
    const missing = classes.filter((_, at) => counts[at] === 0);
    if (missing.length > 0)
      throw InputError.expected(
        'training images of every class',
        setting,
        'balanced',
        `There is none of ${nameList(missing)}.`,
      );
    const total = counts.reduce((sum, count) => sum + count, 0);
    return counts.map((count) => total / (classes.length * count));
  }
  if (classWeights.length !== classes.length)
    throw InputError.expected(
      `${classes.length} numbers, one for each of ${nameList(classes, 12)},`,
      setting,
      classWeights,
    );
  return classWeights;
}

/** The same of a list before the classes have names. @throws {InputError} for a list of another length than `classes` */
export function requireClassWeights({ training }: Pick<Recipe, 'training'>, classes: number): void {
  const { classWeights } = training;
  if (Array.isArray(classWeights) && classWeights.length !== classes)
    throw InputError.expected(`${classes} numbers, one for each class,`, setting, classWeights);
}

/** The number of training images of each class. */
function countsOf(training: TrainingData['training']): number[] {
  const counts = training.classes.map(() => 0);
  const add = (label: number) => {
    counts[label]! += 1;
  };
  if ('opened' in training) for (const index of training.indices) add(training.opened.images.labels[index]!);
  else training.labels.forEach(add);
  return counts;
}
