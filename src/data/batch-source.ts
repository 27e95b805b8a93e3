import { permutation } from '../tensor/noise.js';
import { type Augmentation, augment } from './augment.js';
import type { Batch, DatasetTensors } from './dataset-tensors.js';

/**
 * What a training step learns from: a range of one pass over the images, in the order of that pass. The seed and the
 * pass fix order and augmentation, so a range is the same whatever was taken before it and whoever takes it: a run
 * goes on from any step, and ranks take parts of each other's ranges.
 */
export interface BatchRange {
  readonly seed: number;
  /** The pass over the images, from 1. */
  readonly pass: number;
  /** The place in the pass where it begins, from 0. */
  readonly first: number;
  readonly size: number;
  /** How far behind this one the next range begins: the images that all ranks together take. */
  readonly stride: number;
}

/** A range whose images are there. */
export interface FetchedImages {
  /** What a person should know of them, one sentence each: images that were skipped. */
  readonly warnings: readonly string[];
  /** The `size` images from the place `from` of the range, augmented, as tensors of their own. */
  batch(from: number, size: number): Batch;
}

/** Training images, in memory or read as they are needed. */
export interface BatchSource {
  /** Images a pass. */
  readonly count: number;
  /**
   * Fetches a range. Where images are decoded, those of the range that follows may be begun with.
   *
   * @throws {RunError} where more images than the recipe allows cannot be decoded.
   */
  take(range: BatchRange): Promise<FetchedImages>;
}

/** The range that follows: further on in the pass, or at the same distance from the beginning of the next one. */
export function nextBatchRange(range: BatchRange, count: number): BatchRange {
  const { pass, first, stride } = range;
  const perPass = Math.floor(count / stride);
  const step = Math.floor(first / stride) + 1;
  return step < perPass
    ? { ...range, first: first + stride }
    : { ...range, pass: pass + 1, first: first % stride };
}

/** Images that are all in memory, in an order that is drawn for each pass. */
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
    const places = this.#order.subarray(first, first + size);
    return {
      warnings: [],
      batch: (from, size) =>
        this.tensors.changedBatch(places.subarray(from, from + size), (images, ids) =>
          augment(images, { ...this.augmentation, seed, epoch: pass, ids }),
        ),
    };
  }
}
