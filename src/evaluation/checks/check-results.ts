import type { Attack } from '../../attacks/attack.js';
import type { EvaluationResult } from '../result.js';
import { beatsGradient } from './beats-gradient.js';
import { chanceAccuracy } from './chance-accuracy.js';
import { fewClasses } from './few-classes.js';
import type { Flag } from './flag.js';

/** What the attacks and their results give away. */
export function checkResults(
  { clean, attacks: results, perExample }: Pick<EvaluationResult, 'clean' | 'attacks' | 'perExample'>,
  options: { readonly attacks: readonly Attack[]; readonly classes: number },
): readonly Flag[] {
  const { attacks, classes } = options;
  const examples = perExample.length;
  const found = [
    fewClasses(attacks, classes),
    chanceAccuracy(clean, { examples, classes }),
    ...beatsGradient(attacks, { results, examples }),
  ];
  return found.filter((flag) => flag !== null);
}
