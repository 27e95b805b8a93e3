import type { ExampleResult } from '../evaluation/result.js';
import type { Confusion } from './api.js';

/** What was predicted for an image, clean and attacked; evaluations of older versions do not tell. */
export type PredictedExample = ExampleResult & { readonly predicted?: string; readonly attacked?: string };

/** Of more classes a matrix cannot be read; the most frequent mistakes can. */
const largestMatrix = 30;
const mostMistakes = 15;

/**
 * How often images of each class are predicted as each class: without attack, and each as its first successful attack
 * leaves it; null if a prediction is not known.
 */
export function confusionOf(
  examples: readonly PredictedExample[],
  classes: readonly string[],
): Confusion | null {
  const isKnown = ({ predicted, attacked, brokenBy }: PredictedExample) =>
    predicted !== undefined && (brokenBy === null || attacked !== undefined);
  if (examples.length === 0 || !examples.every(isKnown)) return null;
  return {
    clean: countsOf(examples, classes, ({ predicted }) => predicted),
    attacked: countsOf(examples, classes, ({ predicted, attacked }) => attacked ?? predicted),
  };
}

function countsOf(
  examples: readonly PredictedExample[],
  classes: readonly string[],
  predictionOf: (example: PredictedExample) => string | undefined,
): Confusion['clean'] {
  const placeOf = new Map(classes.map((name, place) => [name, place]));
  const counts = new Map<string, { readonly from: number; readonly to: number; count: number }>();
  for (const example of examples) {
    const to = placeOf.get(predictionOf(example) ?? '');
    if (to === undefined) continue; // a class that the evaluated images do not have
    const key = `${example.label}/${to}`;
    const found = counts.get(key) ?? { from: example.label, to, count: 0 };
    found.count += 1;
    counts.set(key, found);
  }
  const mistakes = [...counts.values()]
    .filter(({ from, to }) => from !== to)
    .sort((a, b) => b.count - a.count || a.from - b.from || a.to - b.to)
    .slice(0, mostMistakes);
  if (classes.length > largestMatrix) return { matrix: null, mistakes };
  const matrix = classes.map((_, from) => classes.map((_, to) => counts.get(`${from}/${to}`)?.count ?? 0));
  return { matrix, mistakes };
}
