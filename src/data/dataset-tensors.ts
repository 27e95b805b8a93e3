import { integers, tensor } from '../tensor/create.js';
import { residenceOf } from '../tensor/resident.js';
import { keep, scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { requireArgument } from '../user-input/require-argument.js';
import type { Dataset } from './dataset.js';

/** A batch of examples, ready for a network. */
export interface Batch {
  /** Pixels in [0, 1], float32, [N, C, H, W]. */
  readonly x: Tensor;
  /** Class labels, int64, [N]. */
  readonly labels: Tensor;
  /** Ids of the examples, [N]; random numbers are keyed by them. */
  readonly ids: readonly number[];
}

/**
 * A data set as tensors of bytes, so that a batch costs one gather and one conversion. It is kept on the device of the
 * network if it takes at most a quarter of its memory; otherwise on the CPU, and each batch is uploaded as bytes.
 */
export class DatasetTensors implements Disposable {
  readonly images: Tensor; // uint8 [N, C, H, W]
  readonly labels: Tensor; // int64 [N]
  readonly ids: Uint32Array;

  constructor(
    readonly dataset: Dataset,
    readonly device = 'cpu',
  ) {
    requireArgument(dataset, 'dataset', 'DatasetTensors');
    requireArgument(device, 'text', 'the device of DatasetTensors');
    const count = dataset.labels.length;
    const residence = residenceOf(dataset.images.byteLength, device);
    this.images = keep(tensor(dataset.images, [count, ...dataset.shape], residence));
    this.labels = keep(integers(dataset.labels, residence));
    this.ids = dataset.ids;
  }

  get count(): number {
    return this.ids.length;
  }

  /** The examples at `indices`, without augmentation. */
  batch(indices: ArrayLike<number>): Batch {
    return this.changedBatch(indices, (images) => images);
  }

  /** The examples at `indices`, with `change` applied to their bytes [N, C, H, W]. */
  changedBatch(
    indices: ArrayLike<number>,
    change: (images: Tensor, ids: readonly number[]) => Tensor,
  ): Batch {
    return scope(() => {
      const selection = integers(indices, this.images.device);
      const ids = Array.from(indices, (index) => this.ids[index]!);
      return {
        // Bytes are a quarter of the upload, and what changes them runs on the card.
        x: toPixels(change(this.images.indexSelect(0, selection).toDevice(this.device), ids)),
        labels: this.labels.indexSelect(0, selection).toDevice(this.device),
        ids,
      };
    });
  }

  [Symbol.dispose](): void {
    this.images.dispose();
    this.labels.dispose();
  }
}

/** The examples at `rows` of a batch, copied. */
export function subBatch({ x, labels, ids }: Batch, rows: readonly number[]): Batch {
  const index = integers(rows, x.device);
  return {
    x: x.indexSelect(0, index),
    labels: labels.indexSelect(0, index),
    ids: rows.map((row) => ids[row]!),
  };
}

/** byte / 255 */
export function toPixels(bytes: Tensor): Tensor {
  return bytes.to('float32').div(255);
}
