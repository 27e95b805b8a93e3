import type { RunEvent } from './events.js';

/** A number at a step of training, as dashboards show it. */
export interface Scalar {
  /** `train/loss`; what precedes the slash groups the charts. */
  readonly tag: string;
  readonly value: number;
}

/** What dashboards draw of an event: the names of measurements are those of `events.jsonl`. */
export function scalarsOf(event: RunEvent): Scalar[] {
  if (event.type === 'step')
    return [
      { tag: 'step/loss', value: event.loss },
      { tag: 'step/accuracy', value: event.accuracy },
      { tag: 'step/learning-rate', value: event.learningRate },
      { tag: 'step/images-per-second', value: event.imagesPerSecond },
    ];
  if (event.type === 'epoch')
    return Object.entries(event.measurements).map(([tag, value]) => ({ tag, value }));
  return [];
}
