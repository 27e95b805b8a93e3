import type { DatasetTensors } from '../data/dataset-tensors.js';
import type { Classifier } from '../nn/classifier.js';
import { gradient, withGrad } from '../tensor/gradient.js';
import { scope } from '../tensor/scope.js';
import { padSingleton } from './model-under-test.js';
import type { BatchResult } from './result.js';

const sizes = [16, 32, 64, 128, 256] as const;

/** Seconds that the measurement may take; a pass that has begun is not broken off. */
const budget = 2;

/** A size this close to the fastest counts as fast. */
const close = 0.95;

/**
 * The batch that attacks run with: passes forward and backward are timed at a few sizes, and of the fast ones the largest
 * is taken, since examples leave a batch as they break.
 */
export function tuneBatchSize(classify: Classifier, data: DatasetTensors): BatchResult {
  const began = performance.now();
  const measured: Record<string, number> = {};
  const network = padSingleton(classify);
  const secondsOfPass = (size: number) => {
    const before = performance.now();
    scope(() => {
      const { x } = data.batch(Array.from({ length: size }, (_, place) => place));
      x.requireGrad_();
      gradient(
        withGrad(() => network(x).sum()),
        x,
      );
    });
    return (performance.now() - before) / 1000;
  };
  const fitting = sizes.filter((size) => size <= data.count);
  for (const size of fitting.length === 0 ? [data.count] : fitting) {
    const first = secondsOfPass(size); // which makes room in memory
    const isOver = () => (performance.now() - began) / 1000 + first > budget;
    let seconds = first;
    for (let pass = 0; pass < 3 && !isOver(); pass++) seconds = Math.min(seconds, secondsOfPass(size));
    measured[size] = Math.round(size / seconds);
    // The next size takes twice as long, and two passes at least.
    if ((performance.now() - began) / 1000 + 4 * seconds > budget) break;
  }
  const fastest = Math.max(...Object.values(measured));
  const fast = Object.keys(measured).filter((size) => measured[size]! >= close * fastest);
  return { size: Math.max(...fast.map(Number)), measured };
}
