import type { EvaluationResult } from './result.js';

/** How often images of each class were predicted as each class. */
export interface Confusion {
  /** Classes that images have, or that were predicted, in label order; then those of predictions alone. */
  readonly classes: readonly string[];
  /** [true class][predicted class] */
  readonly counts: readonly (readonly number[])[];
}

/** The confusion of the clean images; null if predictions are not known of all. */
export function confusionOf({
  perClass,
  perExample,
}: Pick<EvaluationResult, 'perClass' | 'perExample'>): Confusion | null {
  if (perExample.some(({ predicted }) => predicted === undefined)) return null;
  const nameOf = new Map(perClass.map(({ label, class: name }) => [label, name]));
  const predicted = perExample.map((example) => example.predicted!);
  const classes = [...new Set([...nameOf.values(), ...predicted])];
  const placeOf = new Map(classes.map((name, place) => [name, place]));
  const counts = classes.map(() => classes.map(() => 0));
  for (const [index, { label }] of perExample.entries()) {
    const row = counts[placeOf.get(nameOf.get(label)!)!];
    if (row !== undefined) row[placeOf.get(predicted[index]!)!]!++;
  }
  return { classes, counts };
}
