import { confusionOf } from '../evaluation/confusion.js';
import type { ClassResult, ExampleResult } from '../evaluation/result.js';
import type { Confusion, ConfusionCounts } from './api.js';

/** Of more classes a matrix cannot be read; the most frequent mistakes can. */
const largestMatrix = 30;
const mostMistakes = 15;

/**
 * How often images of each class are predicted as each class: without attack, and each as the first attack that broke it
 * left it; null if a prediction is not known.
 */
export function confusions(
  perClass: readonly ClassResult[],
  perExample: readonly ExampleResult[],
): Confusion | null {
  const isLost = perExample.some(({ brokenBy, attacked }) => brokenBy !== null && attacked === undefined);
  const under = perExample.map(({ predicted, attacked, ...example }): ExampleResult => {
    const last = attacked ?? predicted;
    return last === undefined ? example : { ...example, predicted: last };
  });
  const clean = confusionOf({ perClass, perExample });
  const attacked = confusionOf({ perClass, perExample: under });
  if (perExample.length === 0 || isLost || clean === null || attacked === null) return null;
  return { clean: shown(clean), attacked: shown(attacked) };
}

function shown({ classes, counts }: NonNullable<ReturnType<typeof confusionOf>>): ConfusionCounts {
  const mistakes = counts
    .flatMap((row, from) => row.map((count, to) => ({ from: classes[from]!, to: classes[to]!, count })))
    .filter(({ from, to, count }) => from !== to && count > 0)
    .sort((a, b) => b.count - a.count)
    .slice(0, mostMistakes);
  return { classes, matrix: classes.length > largestMatrix ? null : counts, mistakes };
}
