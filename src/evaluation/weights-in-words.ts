import type { WeightsResult } from './result.js';

/** `the weights after epoch 12 of 30, the best by validation; the run has trained 13 of its 30 epochs` */
export function weightsInWords({ kept, epoch, step, run }: WeightsResult): string {
  const why = { best: ', the best by validation', healthy: ', the last before it overfitted' }[kept] ?? '';
  const when = epoch === 0 ? `after step ${step}` : `after epoch ${epoch}`;
  const all = run === null || epoch === 0 ? '' : ` of ${run.planned}`;
  const unfinished =
    run === null || run.epochs === run.planned
      ? ''
      : `; the run has trained ${run.epochs} of its ${run.planned} epochs`;
  return `the weights ${when}${all}${why}${unfinished}`;
}
