import { imageSize } from '../../data/decode-image.js';
import { homePath } from '../../data/home-path.js';
import { folderLayout, listImages } from '../../data/image-folder-layout.js';
import { InputError } from '../../errors.js';
import type { Recipe } from '../../recipe/recipe.js';

/** What a plan needs to know about the images. */
export interface TrainingSetSize {
  /** Images before the validation split is taken. */
  readonly count: number;
  /** [channels, height, width] */
  readonly shape: readonly [number, number, number];
  readonly classes: number;
}

const published: Readonly<Record<Exclude<Recipe['data']['name'], 'folder' | 'imagenet'>, TrainingSetSize>> = {
  'fashion-mnist': { count: 60_000, shape: [1, 28, 28], classes: 10 },
  mnist: { count: 60_000, shape: [1, 28, 28], classes: 10 },
  cifar10: { count: 50_000, shape: [3, 32, 32], classes: 10 },
  cifar100: { count: 50_000, shape: [3, 32, 32], classes: 100 },
};

/**
 * The size of a recipe's training set: of a public data set as published, so that it need not be downloaded; of a folder
 * as found on disk.
 *
 * @throws {InputError} for a folder that cannot be used for training.
 */
export async function trainingSetSize({ data }: Recipe): Promise<TrainingSetSize> {
  if (data.name === 'imagenet') return { count: 1_281_167, shape: [3, data.size, data.size], classes: 1000 };
  if (data.name !== 'folder') return published[data.name];
  const layout = await folderLayout(homePath(data.dir));
  const folder = layout.kind === 'whole' ? layout.folder : layout.folders.train;
  if (folder === undefined) throw InputError.expected('a folder train', 'data.dir', data.dir);
  const { images, classes } = await listImages(folder);
  const size = data.size ?? (await imageSize(images[0]!.file));
  return { count: images.length, shape: [3, ...size], classes: classes.length };
}
