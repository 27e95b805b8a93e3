/**
 * A data set: bytes, labels and names. Readers (`mnist-idx.ts`, `cifar.ts`, `image-folder.ts`) make it, `load-dataset.ts`
 * finds and splits it, `dataset-tensors.ts` turns parts of it into tensors. It holds no tensor, so that no reader loads
 * the engine.
 */
export interface Dataset {
  /** What the user typed, with the split: `fashion-mnist:test`. */
  readonly name: string;
  /** Class names, in label order; they travel with the weights. */
  readonly classes: readonly string[];
  /** Channels, height, width. */
  readonly shape: readonly [channels: number, height: number, width: number];
  /** All pixels as bytes, [N, C, H, W]; the pixel value is byte / 255. */
  readonly images: Uint8Array;
  /** Labels, [N], 0 to classes.length - 1. */
  readonly labels: Uint8Array | Uint16Array;
  /** The id of each example, [N]: its place in the file or in the sorted folder. Randomness is keyed by it. */
  readonly ids: Uint32Array;
  /** How the examples lie: as their author shuffled them (`file`), or one class after another (`folder`). */
  readonly order: 'file' | 'folder';
  /** What a person should know about this set, one sentence each: files that were skipped, small classes. */
  readonly warnings: readonly string[];
}

export const splits = ['train', 'validation', 'test'] as const;

export type Split = (typeof splits)[number];

/** How far a slow step is; `total` is undefined where a server does not say. Bytes of downloads, images else. */
export interface LoadProgress {
  readonly stage: 'download' | 'decode';
  /** The file that is being downloaded, or the data set that is being decoded. */
  readonly what: string;
  readonly done: number;
  readonly total: number | undefined;
}

/** An array that holds labels of `classes` classes: bytes as long as they are enough. */
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
 * The examples at the positions `indices` (not ids), in that order, as a data set of its own; the bytes
 * are copied. A position outside the set is a `RangeError`, since only a bug in the caller makes one.
 */
export function subset(dataset: Dataset, indices: ArrayLike<number>): Dataset {
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
        `Position ${from} is outside ${dataset.name}, which has ${dataset.ids.length} examples.`,
      );
    images.set(dataset.images.subarray(from * bytes, (from + 1) * bytes), to * bytes);
    labels[to] = label;
    ids[to] = dataset.ids[from]!;
  }
  return { ...dataset, images, labels, ids };
}
