import type { Threat } from '../../attacks/attack.js';
import type { Batch, DatasetTensors } from '../../data/dataset-tensors.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type ModelUnderTest, type PassCount, padSingleton } from '../model-under-test.js';
import { thresholds } from './thresholds.js';

/** Input of a check. */
export interface Probe {
  readonly subject: ModelUnderTest;
  /** A few images, spread evenly over the data. */
  readonly batch: Batch;
  readonly labels: readonly number[];
  /** Logits of these images by the exact model, [N, classes]. */
  readonly logits: Tensor;
  readonly classes: number;
  readonly threat: Threat;
  readonly seed: number;
}

/** Callbacks of the checks. */
export interface CheckCallbacks {
  /** Polled between checks; returning true throws an `InterruptedError`. */
  readonly interrupted?: () => boolean;
  /** Called after each attack of the full set. */
  readonly onProgress?: (done: number, total: number) => void;
}

export const checksInterrupted = 'Interrupted during the checks; nothing was written.';

/** `count` indices evenly spread over `total`, since an image folder is sorted by class. */
export function spread(total: number, count: number = thresholds.probeImages): readonly number[] {
  const taken = Math.min(total, count);
  return Array.from({ length: taken }, (_, index) => Math.floor((index * total) / taken));
}

/** The images of a data set that the checks use. */
export function probeBatch(data: DatasetTensors): Pick<Probe, 'batch' | 'labels'> {
  const indices = spread(data.count);
  return { batch: data.batch(indices), labels: indices.map((index) => data.dataset.labels[index]!) };
}

/** The exact model, for batches of any size. */
export function exactClassifier({ exact: classify }: ModelUnderTest): ModelUnderTest['exact'] {
  return padSingleton(classify);
}

/**
 * Divides each row by its L2 norm, so that distances do not depend on the scale of the logits. Logits that are not finite
 * count as 0, since no distance is known from them.
 */
export function normalised(logits: Tensor): Tensor {
  const rows = logits.detach().nanToNum(0);
  return rows.div(rows.l2Norm([1], true).add(1e-10));
}

/** The largest L2 distance between corresponding rows. */
export function maxDistance(a: Tensor, b: Tensor): number {
  return Math.max(0, ...a.sub(b).l2Norm([1]).numbers());
}

/** A counter to discard: passes of the checks are not reported. */
export const uncounted = (): PassCount => ({ forwards: 0, backwards: 0 });
