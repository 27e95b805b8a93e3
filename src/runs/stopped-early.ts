import type { RunEvent } from './events.js';

/** A sentence on a run that its patience ended: *Stopped early: ...*; null for one that had all its epochs. */
export function stoppedEarly({
  epoch,
  bestEpoch,
}: Pick<RunEvent & { readonly type: 'end' }, 'epoch' | 'bestEpoch'>): string | null {
  if (bestEpoch === undefined) return null;
  const waited = epoch - bestEpoch;
  return waited === 1
    ? `Stopped early: epoch ${epoch} was no better than epoch ${bestEpoch}.`
    : `Stopped early: none of the last ${waited} epochs was better than epoch ${bestEpoch}.`;
}
