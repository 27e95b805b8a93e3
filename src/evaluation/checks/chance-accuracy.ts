import type { Flag } from './flag.js';
import { thresholds } from './thresholds.js';

/** The clean accuracy is little better than guessing. */
export function chanceAccuracy(
  clean: number,
  { examples, classes }: { readonly examples: number; readonly classes: number },
): Flag | null {
  const guessing = 1 / classes;
  if (examples < thresholds.chanceImages || clean >= guessing + thresholds.aboveChance * (1 - guessing))
    return null;
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const message = `The model is right about ${percent(clean)} of the images before any attack; guessing gives ${percent(guessing)}. Check that the data is what it was trained on, that its classes stand in the same order, and that the range and the normalisation of its input are stated rightly (--input-range, --mean, --std).`;
  return { code: 'chance-accuracy', message };
}
