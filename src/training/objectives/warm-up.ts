import type { Place } from './objective.js';

/** How far a warm-up of so many epochs has come at a step, in (0, 1]: it begins at one step's share, not at 0. */
export function warmedUp(place: Place, epochs = 0): number {
  return Math.min(1, (place.step + 1) / Math.max(1, epochs * place.stepsPerEpoch));
}
