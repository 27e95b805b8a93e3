import type { Dataset } from '../../data/dataset.js';
import { type LoadOptions, loadDataset } from '../../data/load-dataset.js';
import { InputError } from '../../errors.js';
import { nameList } from '../../user-input/name-list.js';
import type { AttackableModel } from '../model/open-model.js';

/** Loads `count` examples to evaluate a model on, resized to its input size where that is known. */
export async function loadExamples(
  model: Pick<AttackableModel, 'shape' | 'classes'>,
  options: LoadOptions & { readonly count: number | null; readonly seed: number },
): Promise<Dataset> {
  const { count, seed, ...load } = options;
  const { shape, classes } = model;
  const size = shape && ([shape[1], shape[2]] as const);
  const form =
    size === null
      ? {}
      : load.name === 'folder'
        ? { size, channels: shape?.[0] === 1 ? (1 as const) : (3 as const) }
        : load.name === 'imagenet'
          ? { size }
          : {};
  const examples = count === null ? undefined : { count, seed };
  const chosen = await loadDataset({ ...load, ...form, examples });
  if (shape !== null && chosen.shape.join() !== shape.join())
    throw InputError.expected(
      `images of shape [${shape.join(', ')}], as the model takes them,`,
      chosen.name,
      `[${chosen.shape.join(', ')}]`,
    );
  if (classes !== null && chosen.classes.join('\n') !== classes.join('\n'))
    throw new InputError(
      'invalid-input',
      `Expected the model's ${classes.length} classes (${nameList(classes, 20)}) for ${chosen.name} but received ${chosen.classes.length} (${nameList(chosen.classes, 20)}).`,
    );
  return chosen;
}
