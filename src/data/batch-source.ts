import { permutation } from '../tensor/noise.js';
import { type Augmentation, augment } from './augment.js';
import type { Batch, DatasetTensors } from './dataset-tensors.js';

/**
 * The images of a training step: a range of one pass over the images, in the order of that pass. Order and augmentation are
 * determined by seed and pass, so a range does not depend on earlier ones or on the process: a run can resume at any step,
 * and ranks take disjoint parts of a batch.
 */
export interface BatchRange {
  readonly seed: number;
  /** The pass over the images, from 1. */
  readonly pass: number;
  /** Position of its first image in the pass, from 0. */
  readonly first: number;
  readonly size: number;
  /** Distance to the next range: the number of images that all ranks take together. */
  readonly stride: number;
}

/** A range whose images are loaded. */
export interface FetchedImages {
  /** Warnings, one sentence each: skipped images. */
  readonly warnings: readonly string[];
  /** The ids of the images that the warnings are about. */
  readonly broken: readonly number[];
  /** The class of each image of the range. */
  labels(): readonly number[];
  /** The `size` images from position `from` of the range, augmented, as new tensors. */
  batch(from: number, size: number): Batch;
}

/** Training images, in memory or read on demand. */
export interface BatchSource {
  /** Number of images per pass. */
  readonly count: number;
  /**
   * Fetches a range; may start to prefetch the next one.
   *
   * @throws {RunError} if more images are broken than the recipe tolerates.
   */
  take(range: BatchRange): Promise<FetchedImages>;
  /** Continues a run in which these images were found to be broken: they are counted and not warned of again. */
  skip?(broken: readonly number[]): void;
}

/** The range that follows: later in the pass, or at the same offset at the start of the next pass. */
export function nextBatchRange(range: BatchRange, count: number): BatchRange {
  const { pass, first, stride } = range;
  const perPass = Math.floor(count / stride);
  const step = Math.floor(first / stride) + 1;
  return step < perPass
    ? { ...range, first: first + stride }
    : { ...range, pass: pass + 1, first: first % stride };
}

/** Images in memory, shuffled for each pass. */
export class ShuffledDataset implements BatchSource {
  #order: Uint32Array = new Uint32Array();
  #ordered: string = '';

  constructor(
    readonly tensors: DatasetTensors,
    readonly augmentation: Augmentation,
  ) {}

  get count(): number {
    return this.tensors.count;
  }

  async take({ seed, pass, first, size }: BatchRange): Promise<FetchedImages> {
    const drawn = `${seed} ${pass}`;
    if (drawn !== this.#ordered)
      this.#order = permutation(this.count, { seed, stream: 'shuffle', epoch: pass });
    this.#ordered = drawn;
    const indices = this.#order.subarray(first, first + size);
    return {
      warnings: [],
      broken: [],
      labels: () => Array.from(indices, (index) => this.tensors.dataset.labels[index]!),
      batch: (from, size) =>
        this.tensors.changedBatch(indices.subarray(from, from + size), (images, ids) =>
          augment(images, { ...this.augmentation, seed, epoch: pass, ids }),
        ),
    };
  }
}
