import { type ProcessGroup, singleProcess } from '../../distributed/process-group.js';
import { InputError } from '../../errors.js';
import type { ModelDescription } from '../../models/description.js';
import { layerSummary } from '../../models/layer-summary.js';
import type { Recipe } from '../../recipe/recipe.js';
import { ghostGroup } from '../../recipe/training.js';

/**
 * A batch norm of a single value per channel subtracts the value from itself: its output is its bias, whatever the image, and
 * training learns nothing. PyTorch refuses it too, at the first step.
 *
 * @throws {InputError} if a pass of training, or a group of ghost batch norm, has one image and a feature map of one pixel.
 */
export function requireSeveralValues(
  description: ModelDescription,
  { training }: Pick<Recipe, 'training'>,
  group: ProcessGroup = singleProcess,
): void {
  const { batch, accumulate, batchNorm } = training;
  const ghost = ghostGroup(training);
  const images = ghost ?? batch / accumulate / (batchNorm === 'ghost' ? group.size : 1);
  if (images > 1) return;
  if (images * layerSummary(description).smallestNorm > 1) return;
  const [, height, width] = description.shape;
  throw InputError.expected(
    'at least two images for the statistics of batch norm',
    ghost !== undefined
      ? 'training.batchNorm.ghost'
      : accumulate === 1
        ? 'training.batch'
        : 'training.batch / training.accumulate',
    images,
    `Images of ${height}x${width} leave ${description.architecture} a feature map of 1x1, so that batch norm would see one value per channel and learn nothing.`,
  );
}
