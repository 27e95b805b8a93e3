import type { Attack } from '../../attacks/attack.js';
import { lossFor } from '../../attacks/losses.js';
import type { AttackResult, EvaluationResult } from '../result.js';
import type { Flag } from './flag.js';
import { thresholds } from './thresholds.js';

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

/** An attack climbs another loss than it is known for, since that one needs more classes. */
export function fewClasses(attacks: readonly Attack[], classes: number): Flag | null {
  const changed = attacks.filter(
    (attack) => attack.kind === 'apgd' && lossFor(attack.loss, classes) !== attack.loss,
  );
  if (changed.length === 0) return null;
  const names = changed.map(({ name }) => name).join(', ');
  const message = `With ${classes} classes ${names} climbed the plain margin: DLR needs 3 classes and its targeted form 4. The reference does not define these attacks here, so set the number beside none of its own.`;
  return { code: 'few-classes', message };
}

/** The clean accuracy is little better than guessing. */
export function chanceAccuracy(
  clean: number,
  { examples, classes }: { readonly examples: number; readonly classes: number },
): Flag | null {
  const guessing = 1 / classes;
  if (examples < thresholds.chanceImages || clean >= guessing + thresholds.aboveChance * (1 - guessing))
    return null;
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const message = `The model is right about ${percent(clean)} of the images before any attack; guessing gives ${percent(guessing)}. Check that the data is what it was trained on, that its classes stand in the same order, and that the range and the normalisation of its input are stated correctly.`;
  return { code: 'chance-accuracy', message };
}

/** Attacks that do without the network's own gradient broke what those with it left. */
export function beatsGradient(
  attacks: readonly Attack[],
  options: { readonly results: readonly AttackResult[]; readonly examples: number },
): Flag[] {
  const { results, examples } = options;
  const kinds = new Map(attacks.map(({ name, kind }) => [name, kind]));
  const few = thresholds.beatsGradient * examples;
  const first = results.findIndex(
    ({ name, surrogate }) => surrogate === undefined && kinds.get(name) !== 'square',
  );
  const behind = first < 0 ? [] : results.slice(first);
  const brokenBy = (chosen: readonly AttackResult[]) => chosen.reduce((sum, { broken }) => sum + broken, 0);
  const square = brokenBy(behind.filter(({ name }) => kinds.get(name) === 'square'));
  const surrogate = brokenBy(behind.filter((result) => result.surrogate !== undefined));
  const flags: Flag[] = [];
  if (square > few)
    flags.push({
      code: 'square-beats-gradient',
      message: `Square, which asks for no gradient, broke ${square} examples that the attacks before it left: they may follow a gradient that misleads, and the robust accuracy may still be too high. Add what is missing of apgd-ce, apgd-t and fab-t, give Square restarts (square-3), and try a surrogate derivative such as softplus(10).`,
    });
  if (surrogate > few)
    flags.push({
      code: 'surrogate-beats-gradient',
      message: `Attacks through another derivative broke ${surrogate} examples that the network's own gradient did not: it hides its gradient, and attacks without a surrogate derivative overestimate its robustness. Compare networks by the accuracy with it.`,
    });
  return flags;
}
