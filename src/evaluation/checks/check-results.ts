import type { Attack } from '../../attacks/attack.js';
import { lossFor } from '../../attacks/losses.js';
import { requireArgument, requireList } from '../../user-input/require-argument.js';
import type { AttackResult, EvaluationResult } from '../result.js';
import type { Flag } from './flag.js';
import { thresholds } from './thresholds.js';

/** The flags raised by the attacks and their results. */
export function checkResults(
  result: Pick<EvaluationResult, 'clean' | 'attacks' | 'perExample'>,
  options: { readonly attacks: readonly Attack[]; readonly classes: number },
): readonly Flag[] {
  requireArgument(result, 'options', 'checkResults');
  requireArgument(options, 'options', 'checkResults');
  const { clean, attacks: results, perExample } = result;
  const { attacks, classes } = options;
  requireArgument(clean, 'number', 'clean of checkResults');
  requireList(results, 'options', 'the attacks of checkResults');
  requireList(perExample, 'options', 'perExample of checkResults');
  requireList(attacks, 'attack', 'the attacks of checkResults');
  requireArgument(classes, 'count', 'the classes of checkResults');
  const examples = perExample.length;
  const found = [
    fewClasses(attacks, classes),
    chanceAccuracy(clean, { examples, classes }),
    blindAttacks(perExample),
    ...beatsGradient(attacks, { results, examples }),
  ];
  return found.filter((flag) => flag !== null);
}

/** APGD replaced its loss, which requires more classes. */
export function fewClasses(attacks: readonly Attack[], classes: number): Flag | null {
  const changed = attacks.filter(
    (attack) => attack.kind === 'apgd' && lossFor(attack.loss, classes) !== attack.loss,
  );
  if (changed.length === 0) return null;
  const names = changed.map(({ name }) => name).join(', ');
  const message = `With ${classes} classes ${names} maximised the plain margin: DLR needs 3 classes and its targeted form 4. The reference does not define these attacks here, so do not compare the result with published ones.`;
  return { code: 'few-classes', message };
}

/** Attacks could not work on some examples, which do not count as robust. */
function blindAttacks(perExample: EvaluationResult['perExample']): Flag | null {
  const blind = perExample.filter((example) => example.blind === true).length;
  if (blind === 0) return null;
  const message = `On ${blind} of ${perExample.length} images that no attack broke, an attack had no finite gradient in any step and could not work. They do not count as robust. Look for a division by 0, a square root at 0, a product with NaN or an overflow in the model, or measure it with square alone.`;
  return { code: 'blind-attack', message };
}

/** The clean accuracy is close to chance. */
export function chanceAccuracy(
  clean: number,
  { examples, classes }: { readonly examples: number; readonly classes: number },
): Flag | null {
  const guessing = 1 / classes;
  if (examples < thresholds.chanceImages || clean >= guessing + thresholds.aboveChance * (1 - guessing))
    return null;
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const message = `The clean accuracy is ${percent(clean)}; chance is ${percent(guessing)}. Check that the data is what the model was trained on, that the classes are in the same order, and that the range and the normalisation of the input are correct.`;
  return { code: 'chance-accuracy', message };
}

/** Attacks that do not use the network's own gradient broke examples that gradient-based attacks left. */
export function beatsGradient(
  attacks: readonly Attack[],
  options: { readonly results: readonly AttackResult[]; readonly examples: number },
): Flag[] {
  const { results, examples } = options;
  const kinds = new Map(attacks.map(({ name, kind }) => [name, kind]));
  const threshold = thresholds.beatsGradient * examples;
  const first = results.findIndex(
    ({ name, surrogate }) => surrogate === undefined && kinds.get(name) !== 'square',
  );
  const later = first < 0 ? [] : results.slice(first);
  const brokenBy = (chosen: readonly AttackResult[]) => chosen.reduce((sum, { broken }) => sum + broken, 0);
  const square = brokenBy(later.filter(({ name }) => kinds.get(name) === 'square'));
  const surrogate = brokenBy(later.filter((result) => result.surrogate !== undefined));
  const flags: Flag[] = [];
  if (square > threshold)
    flags.push({
      code: 'square-beats-gradient',
      message: `Square, which is gradient-free, broke ${square} examples that the attacks before it left: the gradients may be masked, and the robust accuracy may still be too high. Add any of apgd-ce, apgd-t and fab-t that is missing, give Square restarts (square-3), and try a surrogate derivative such as softplus(10).`,
    });
  if (surrogate > threshold)
    flags.push({
      code: 'surrogate-beats-gradient',
      message: `Attacks with a surrogate derivative broke ${surrogate} examples that attacks on the network's own gradient did not: the network masks its gradient, and attacks without a surrogate derivative overestimate its robustness. Compare networks by the robust accuracy with it.`,
    });
  return flags;
}
