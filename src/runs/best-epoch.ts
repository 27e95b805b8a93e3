import type { RunEvent } from './events.js';

/** The epoch whose weights a run kept as its best, with what validation measured. */
export interface BestEpoch {
  readonly epoch: number;
  /** null where it was not measured. */
  readonly clean: number | null;
  readonly robust: number | null;
  /** Which of the two selected it. */
  readonly chosenBy: 'clean' | 'robust';
}

/** The best epoch so far; null for a run without validation images, or before its first epoch. */
export function bestEpoch(events: readonly RunEvent[]): BestEpoch | null {
  const saved = events.filter((event) => event.type === 'checkpoint' && event.file === 'best').at(-1);
  if (saved?.type !== 'checkpoint') return null;
  const measured = events.filter((event) => event.type === 'epoch' && event.step === saved.step).at(-1);
  if (measured?.type !== 'epoch') return null;
  const measurements = Object.entries(measured.measurements);
  const value = (metric: string) =>
    measurements.find(([name]) => name.startsWith(`validation/${metric}`))?.[1] ?? null;
  const [clean, robust] = [value('clean'), value('robust')];
  if (clean === null && robust === null) return null;
  // The last measurement selects the best epoch.
  const chosenBy = measurements.at(-1)?.[0] === 'validation/clean' ? 'clean' : 'robust';
  return { epoch: measured.epoch, clean, robust, chosenBy };
}
