import { imageSize } from '../../data/decode-image.js';
import { homePath } from '../../data/home-path.js';
import { listSplit } from '../../data/image-folder.js';
import { validationCount } from '../../data/validation-split.js';
import type { Recipe } from '../../recipe/recipe.js';

/** What a plan needs to know about the images. */
export interface TrainingSetSize {
  /** Images that training draws from. */
  readonly training: number;
  /** Images of the validation split. */
  readonly validation: number;
  /** [channels, height, width] */
  readonly shape: readonly [number, number, number];
  readonly classes: number;
}

/** A data set before the validation split is taken. */
interface WholeSet extends Pick<TrainingSetSize, 'shape' | 'classes'> {
  readonly count: number;
}

const published: Readonly<Record<Exclude<Recipe['data']['name'], 'folder' | 'imagenet'>, WholeSet>> = {
  'fashion-mnist': { count: 60_000, shape: [1, 28, 28], classes: 10 },
  mnist: { count: 60_000, shape: [1, 28, 28], classes: 10 },
  cifar10: { count: 50_000, shape: [3, 32, 32], classes: 10 },
  cifar100: { count: 50_000, shape: [3, 32, 32], classes: 100 },
};

/**
 * The sizes of a recipe's training and validation sets: of a public data set as published, so that it need not be
 * downloaded; of a folder as training splits it.
 *
 * @throws {InputError} for a folder that cannot be used for training, and for a validation split that cannot be taken.
 */
export async function trainingSetSize({ data }: Recipe): Promise<TrainingSetSize> {
  const most = data.examples ?? Number.POSITIVE_INFINITY;
  if (data.name === 'folder') {
    const { validation, validationSeed } = data;
    const parts = { dir: homePath(data.dir), testSeed: 0, validationSeed, validation };
    const { images, classes } = await listSplit({ ...parts, split: 'train' });
    const held = validation === 0 ? [] : (await listSplit({ ...parts, split: 'validation' })).images;
    const size = data.size ?? (await imageSize(images[0]!.file));
    return {
      training: Math.min(images.length, most),
      validation: held.length,
      shape: [3, ...size],
      classes: classes.length,
    };
  }
  const { count, shape, classes } =
    data.name === 'imagenet'
      ? { count: 1_281_167, shape: [3, data.size, data.size] as const, classes: 1000 }
      : published[data.name];
  const validation = validationCount(data.validation, { examples: count, classes, most: count - classes });
  return { training: Math.min(count - validation, most), validation, shape, classes };
}
