import { InputError } from '../errors.js';
import type { Recipe } from '../recipe/recipe.js';
import { ghostGroup } from '../recipe/training.js';

/**
 * Refuses a share of a batch that splits a group of ghost batch norm: all its images are on one device.
 *
 * @param share Images that one rank or device processes at a time.
 * @throws {InputError}
 */
export function requireWholeGroups(share: number, training: Recipe['training']): void {
  const group = ghostGroup(training);
  if (group === undefined || share % group === 0) return;
  throw InputError.expected(
    `a multiple of ${group}, the group of training.batchNorm,`,
    "a rank's images of a step",
    share,
    'Use fewer ranks, a larger batch or smaller groups.',
  );
}
