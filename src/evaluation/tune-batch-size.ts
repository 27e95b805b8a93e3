import type { DatasetTensors } from '../data/dataset-tensors.js';
import { synchronise } from '../engine/device.js';
import type { Classifier } from '../nn/classifier.js';
import { gradient, withGrad } from '../tensor/gradient.js';
import { scope } from '../tensor/scope.js';
import { padSingleton } from './model-under-test.js';
import type { BatchResult } from './result.js';

const sizes = [16, 32, 64, 128, 256] as const;

/** Time budget of the measurement in seconds; a running pass is not interrupted. */
const budget = 2;

/** Batch sizes with at least this fraction of the best throughput are considered equally fast. */
const close = 0.95;

/**
 * Chooses the batch size of the attacks: times forward and backward passes at several sizes and takes the largest of
 * the fast ones, since batches shrink as examples break.
 */
export function tuneBatchSize(classify: Classifier, data: DatasetTensors): BatchResult {
  const began = performance.now();
  const measured: Record<string, number> = {};
  const network = padSingleton(classify);
  const secondsOfPass = (size: number) => {
    synchronise(data.device);
    const before = performance.now();
    scope(() => {
      const { x } = data.batch(Array.from({ length: size }, (_, index) => index));
      x.requireGrad_();
      gradient(
        withGrad(() => network(x).sum()),
        x,
      );
    });
    synchronise(data.device);
    return (performance.now() - before) / 1000;
  };
  const fitting = sizes.filter((size) => size <= data.count);
  for (const size of fitting.length === 0 ? [data.count] : fitting) {
    const first = secondsOfPass(size); // warm-up: includes memory allocation
    const isOver = () => (performance.now() - began) / 1000 + first > budget;
    let seconds = first;
    for (let pass = 0; pass < 3 && !isOver(); pass++) seconds = Math.min(seconds, secondsOfPass(size));
    measured[size] = Math.round(size / seconds);
    // The next size takes about twice as long and runs at least two passes.
    if ((performance.now() - began) / 1000 + 4 * seconds > budget) break;
  }
  const fastest = Math.max(...Object.values(measured));
  const fast = Object.keys(measured).filter((size) => measured[size]! >= close * fastest);
  return { size: Math.max(...fast.map(Number)), measured };
}
