import { requireArgument } from '../user-input/require-argument.js';

/**
 * A data set: bytes, labels and names. Readers (`mnist-idx.ts`, `cifar.ts`, `image-folder.ts`) create it,
 * `load-dataset.ts` locates and splits it, `dataset-tensors.ts` converts batches to tensors. It holds no tensor, so that
 * no reader loads the engine.
 */
export interface Dataset {
  /** What the user typed, with the split: `fashion-mnist:test`. */
  readonly name: string;
  /** Class names, in label order; stored with the weights. */
  readonly classes: readonly string[];
  /** Channels, height, width. */
  readonly shape: readonly [channels: number, height: number, width: number];
  /** All pixels as bytes, [N, C, H, W]; the pixel value is byte / 255. */
  readonly images: Uint8Array;
  /** Labels, [N], 0 to classes.length - 1. */
  readonly labels: Uint8Array | Uint16Array;
  /** The id of each example, [N]: its index in the file or in the sorted folder. Random numbers are keyed by it. */
  readonly ids: Uint32Array;
  /** The file of each example, relative to the folder of images; only of a folder. */
  readonly files?: readonly string[];
  /** The order of the examples: shuffled by the authors (`file`), or grouped by class (`folder`). */
  readonly order: 'file' | 'folder';
  /** Warnings, one sentence each: skipped files, small classes. */
  readonly warnings: readonly string[];
}

export const splits = ['train', 'validation', 'test'] as const;

export type Split = (typeof splits)[number];

/** Progress in bytes (downloads) or images; `total` is undefined if the server does not report it. */
export interface LoadProgress {
  readonly stage: 'download' | 'decode';
  /** The file that is being downloaded, or the data set that is being decoded. */
  readonly what: string;
  readonly done: number;
  readonly total: number | undefined;
}

/** An array for labels of `classes` classes: bytes if they suffice. */
export function labelArray(count: number, classes: number): Uint8Array | Uint16Array {
  return classes <= 256 ? new Uint8Array(count) : new Uint16Array(count);
}

/** The ids 0 to `count` - 1. */
export function consecutiveIds(count: number): Uint32Array {
  const ids = new Uint32Array(count);
  for (let id = 0; id < count; id++) ids[id] = id;
  return ids;
}

/**
 * Copies the examples at `indices` (not ids), in that order, to a new data set.
 *
 * @throws {RangeError} for an index out of range, which only a bug in the caller can cause.
 */
export function subset(dataset: Dataset, indices: ArrayLike<number>): Dataset {
  requireArgument(dataset, 'dataset', 'subset');
  requireArgument(indices, 'list', 'the indices of subset');
  const [channels, height, width] = dataset.shape;
  const bytes = channels * height * width;
  const count = indices.length;
  const images = new Uint8Array(count * bytes);
  const labels = labelArray(count, dataset.classes.length);
  const ids = new Uint32Array(count);
  for (let to = 0; to < count; to++) {
    const from = indices[to]!;
    const label = dataset.labels[from];
    if (label === undefined)
      throw new RangeError(
        `Index ${from} is outside ${dataset.name}, which has ${dataset.ids.length} examples.`,
      );
    images.set(dataset.images.subarray(from * bytes, (from + 1) * bytes), to * bytes);
    labels[to] = label;
    ids[to] = dataset.ids[from]!;
  }
  const { files } = dataset;
  return {
    ...dataset,
    images,
    labels,
    ids,
    ...(files !== undefined && { files: Array.from(indices, (from) => files[from]!) }),
  };
}
