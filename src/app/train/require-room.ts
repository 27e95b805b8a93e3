import { memoryInfo } from '../../engine/engine-info.js';
import { InputError } from '../../errors.js';
import type { ModelDescription } from '../../models/description.js';
import { layerSummary } from '../../models/layer-summary.js';
import type { Recipe } from '../../recipe/recipe.js';

/**
 * Requires that a training step on the CPU can fit in the memory that is left, before anything is made: weights with
 * their gradients, and what each layer puts out for the images of one update, which the backward pass needs. A step takes
 * more than this lower bound.
 *
 * @throws {InputError} with both sizes, and what to lower.
 */
export function requireRoomForStep(
  { training }: Recipe,
  options: {
    readonly description: Omit<ModelDescription, 'normalise'>;
    /** Processes that share each batch. */
    readonly ranks: number;
    readonly device: string;
  },
): void {
  const { description, ranks, device } = options;
  if (device !== 'cpu') return;
  const { layers, parameters } = layerSummary(description);
  const images = training.batch / training.accumulate / ranks;
  const sizes = [description.shape, ...layers.map(({ output }) => output)];
  const perImage = sizes.reduce((sum, sides) => sum + sides.reduce((product, side) => product * side, 1), 0);
  const activations = images * perImage * (training.precision === 'bfloat16' ? 2 : 4);
  const needed = activations + 2 * 4 * parameters;
  const { leftBytes } = memoryInfo();
  if (needed <= leftBytes) return;
  const { architecture, width, shape } = description;
  throw InputError.expected(
    `a training step that fits in the ${mebibytes(leftBytes)} of memory that are left`,
    'training.batch',
    training.batch,
    `${images} images of [${shape.join(', ')}] in a ${architecture} of width ${width} take at least ${mebibytes(needed)}: ` +
      'lower training.batch, model.width or the size of the images, or raise training.accumulate.',
  );
}

function mebibytes(bytes: number): string {
  return `${Math.floor(bytes / 2 ** 20)} MiB`;
}
