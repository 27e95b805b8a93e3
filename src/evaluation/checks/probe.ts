import type { Threat } from '../../attacks/attack.js';
import type { Batch, DatasetTensors } from '../../data/dataset-tensors.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type ModelUnderTest, type PassCount, padSingleton } from '../model-under-test.js';
import { thresholds } from './thresholds.js';

/** What a check is given. */
export interface Probe {
  readonly subject: ModelUnderTest;
  /** A few images, spread over the data. */
  readonly batch: Batch;
  readonly labels: readonly number[];
  /** Logits of these images, by the model as it was given, [N, classes]. */
  readonly logits: Tensor;
  readonly classes: number;
  readonly threat: Threat;
  readonly seed: number;
}

/** What a caller of the checks hears and says while they run. */
export interface CheckCallbacks {
  /** Asked now and then; true ends the checks with an `InterruptedError`. */
  readonly interrupted?: () => boolean;
  /** Called after each attack of the full set. */
  readonly onProgress?: (done: number, total: number) => void;
}

export const interruptedChecks = 'Interrupted in the checks; nothing was written.';

/** `count` places of `total`, evenly spread: the images of a folder lie class by class. */
export function spread(total: number, count: number = thresholds.probeImages): readonly number[] {
  const taken = Math.min(total, count);
  return Array.from({ length: taken }, (_, at) => Math.floor((at * total) / taken));
}

/** The images of a data set that checks look at. */
export function probeBatch(data: DatasetTensors): Pick<Probe, 'batch' | 'labels'> {
  const places = spread(data.count);
  return { batch: data.batch(places), labels: places.map((place) => data.dataset.labels[place]!) };
}

/** The model as it was given, for a batch of any size. */
export function given({ exact: classify }: ModelUnderTest): ModelUnderTest['exact'] {
  return padSingleton(classify);
}

/** Each row divided by its Euclidean norm, so that a distance means the same for every scale of logits. */
export function normalised(logits: Tensor): Tensor {
  const rows = logits.detach();
  return rows.div(rows.l2Norm([1], true).add(1e-10));
}

/** The largest Euclidean distance of two rows. */
export function farthest(a: Tensor, b: Tensor): number {
  return Math.max(0, ...a.sub(b).l2Norm([1]).numbers());
}

/** For checks, whose passes are not counted with those of an attack. */
export const uncounted = (): PassCount => ({ forwards: 0, backwards: 0 });
