import { createHash } from 'node:crypto';
import { type BatchSource, ShuffledDataset } from '../../data/batch-source.js';
import { chooseExamples } from '../../data/choose-examples.js';
import { type Dataset, type Split, subset } from '../../data/dataset.js';
import { DatasetTensors } from '../../data/dataset-tensors.js';
import { pixelsDigest } from '../../data/digest.js';
import { chosenPlaces, decodePlaces, type OpenedSplit, openSplit } from '../../data/imagenet/splits.js';
import { ImageStream, usualWorkers } from '../../data/imagenet/stream.js';
import { type LoadOptions, loadDataset } from '../../data/load-dataset.js';
import type { Recipe } from '../../recipe/recipe.js';
import { requireWholeBatch } from './require-whole-batch.js';

/**
 * The images of a run. Small data sets are in memory; of ImageNet only the file lists and the validation images are.
 */
export interface TrainingData {
  readonly training: Dataset | EncodedTraining;
  /** null if the recipe has no validation split. */
  readonly validation: Dataset | null;
}

/** Training images that are decoded on demand. */
export interface EncodedTraining extends Pick<Dataset, 'classes' | 'shape'> {
  readonly opened: OpenedSplit;
  /** Indices of the images to train on. */
  readonly indices: Uint32Array;
  /** Images for the guard, preprocessed as for evaluation; null without a guard. */
  readonly guarded: Dataset | null;
}

/** Called with the progress of reading. */
export type OnReading = (progress: {
  readonly label: string;
  readonly done: number;
  readonly total: number;
}) => void;

/** Loads the training and validation images of a run. @throws {InputError} for images that cannot be used */
export async function loadTrainingData(recipe: Recipe, onProgress?: OnReading): Promise<TrainingData> {
  const { data, training } = recipe;
  const images =
    data.name === 'imagenet'
      ? await openEncoded(recipe, onProgress)
      : {
          training: await readTraining(recipe, onProgress),
          validation: data.validation === 0 ? null : await readValidation(recipe),
        };
  requireWholeBatch(countOfTraining(images.training), training.batch);
  return images;
}

/** The warnings of all images that were read, each once. */
export function warningsOf({ training, validation }: TrainingData): readonly string[] {
  const own =
    'opened' in training
      ? [...training.opened.images.warnings, ...(training.guarded?.warnings ?? [])]
      : training.warnings;
  return [...new Set([...own, ...(validation?.warnings ?? [])])];
}

/** Identifies a set of images: encoded images by names and labels, others by their pixels. */
export function trainingDataDigest(images: Dataset | EncodedTraining): {
  readonly images: number;
  readonly digest: string;
} {
  if (!('opened' in images)) return { images: images.ids.length, digest: pixelsDigest(images) };
  const { opened, indices } = images;
  const hash = createHash('sha256');
  for (const index of indices) hash.update(`${opened.images.keyOf(index)} ${opened.images.labels[index]}\n`);
  return { images: indices.length, digest: `sha256:${hash.digest('hex')}` };
}

/** Training images ready for the training loop. */
export interface OpenTraining extends Disposable {
  readonly source: BatchSource;
  /** Images that the guard draws from; null if there is none. */
  readonly guarded: DatasetTensors | null;
}

/** Prepares training images for a device; `sharing` processes share the processors. */
export function openTraining(
  training: TrainingData['training'],
  { data }: Recipe,
  { device, sharing }: { readonly device: string; readonly sharing: number },
): OpenTraining {
  if ('opened' in training && data.name === 'imagenet') {
    const { opened, indices } = training;
    const guarded = training.guarded && new DatasetTensors(training.guarded, device);
    const source = new ImageStream({
      ...data,
      images: opened.images,
      indices,
      workers: data.workers ?? usualWorkers(sharing),
      // On the CPU the network's threads use every processor: decoding at the same time would slow both down.
      ahead: device !== 'cpu',
      shuffleBuffer: data.shuffleBuffer ?? usualBuffer,
      device,
    });
    return {
      source,
      guarded,
      [Symbol.dispose]: () => {
        guarded?.[Symbol.dispose]();
        // Of a file that cannot be opened its reader was told.
        opened.images.close().catch(() => {});
      },
    };
  }
  if ('opened' in training || data.name === 'imagenet')
    throw new RangeError(`The images are not those of ${data.name}.`);
  const tensors = new DatasetTensors(training, device);
  return {
    source: new ShuffledDataset(tensors, data.augment),
    guarded: tensors,
    [Symbol.dispose]: () => tensors[Symbol.dispose](),
  };
}

/** Default size of the shuffle buffer for shards, in images. */
const usualBuffer = 16_384;

/** Mean and standard deviation of each channel, of pixels in [0, 1]; the customary ones for ImageNet. */
export function channelStatistics(training: TrainingData['training']): {
  readonly mean: readonly number[];
  readonly std: readonly number[];
} {
  if ('opened' in training) return { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
  const { images, shape } = training;
  const [channels, height, width] = shape;
  const plane = height * width;
  const sums = new Float64Array(channels);
  const squares = new Float64Array(channels);
  for (let start = 0, channel = 0; start < images.length; start += plane, channel = (channel + 1) % channels)
    for (let index = start; index < start + plane; index++) {
      const value = images[index]!;
      sums[channel]! += value;
      squares[channel]! += value * value;
    }
  const count = (images.length / channels) * 255;
  const mean = [...sums].map((sum) => sum / count);
  const std = [...squares].map((sum, channel) =>
    Math.sqrt(Math.max(sum / (count * 255) - mean[channel]! ** 2, 1e-12)),
  );
  return { mean, std };
}

function countOfTraining(training: TrainingData['training']): number {
  return 'opened' in training ? training.indices.length : training.ids.length;
}

async function readTraining(recipe: Recipe, onProgress: OnReading | undefined): Promise<Dataset> {
  const whole = await loadSplit(recipe, 'train', onProgress);
  const { examples, validationSeed: seed } = recipe.data;
  return examples === null ? whole : subset(whole, chooseExamples(whole, examples, { seed }));
}

async function readValidation(recipe: Recipe): Promise<Dataset> {
  const dataset = await loadSplit(recipe, 'validation');
  const count = Math.min(recipe.validation.examples, dataset.ids.length);
  return subset(dataset, chooseExamples(dataset, count, { seed: 0 }));
}

async function loadSplit(recipe: Recipe, split: Split, onProgress?: OnReading): Promise<Dataset> {
  const { data } = recipe;
  return loadDataset({
    name: data.name,
    split,
    dir: data.dir ?? undefined,
    ...(data.name === 'folder'
      ? { size: data.size ?? undefined, resize: data.resize, broken: data.broken }
      : {}),
    validation: data.validation,
    validationSeed: data.validationSeed,
    ...told(onProgress),
  });
}

function told(onProgress: OnReading | undefined): Pick<LoadOptions, 'onProgress'> {
  return {
    onProgress: ({ stage, what, done, total }) => {
      if (total !== undefined) onProgress?.({ label: `${stage} ${what}`, done, total });
    },
  };
}

/** Lists the files of ImageNet, and decodes the images for validation and the guard. */
async function openEncoded(recipe: Recipe, onProgress: OnReading | undefined): Promise<TrainingData> {
  const { data, training, validation } = recipe;
  if (data.name !== 'imagenet') throw new RangeError(`${data.name} is not encoded.`);
  const { dir, layout, validation: amount, validationSeed, size } = data;
  const form = { size, resize: data.resize, filter: data.filter, decoding: data.decoding };
  const cut = { dir, layout, validation: amount, validationSeed };
  const decode = (
    opened: OpenedSplit,
    {
      count,
      seed,
      mostBroken,
    }: { readonly count: number; readonly seed: number; readonly mostBroken?: number },
  ) =>
    decodePlaces(opened, chosenPlaces(opened, { count, seed }), {
      ...form,
      ...(mostBroken !== undefined && { mostBroken }),
      onProgress: (done, total) => onProgress?.({ label: `decode ${opened.name}`, done, total }),
    });
  const opened = await openSplit({ ...cut, split: 'train' });
  const { examples } = data;
  const indices =
    examples === null ? opened.indices : chosenPlaces(opened, { count: examples, seed: validationSeed });
  const guard = 'guard' in training ? training.guard : null;
  const measured = amount === 0 ? null : await openSplit({ ...cut, split: 'validation' });
  return {
    training: {
      classes: opened.images.classes,
      shape: [3, size, size],
      opened,
      indices,
      // The guard measures training images, of which so many may be broken.
      guarded:
        guard &&
        (await decode(
          { ...opened, indices },
          { count: guard.examples, seed: training.seed, mostBroken: data.mostBroken },
        )),
    },
    validation:
      measured &&
      (await decode(measured, { count: validation.examples, seed: 0 }).finally(() =>
        measured.images.close(),
      )),
  };
}
