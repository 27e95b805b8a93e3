import { isDeepStrictEqual } from 'node:util';
import { InputError } from '../errors.js';
import { type NormName, requireNormName } from '../user-input/norm-name.js';
import { requireArgument } from '../user-input/require-argument.js';
import { type Attack, parseAttack } from './attack.js';

/**
 * The sets of AutoAttack (Croce and Hein, 2020) in order. Steps, targets and restarts follow from the names, see
 * `attack.ts`: `plus` uses five restarts of APGD and untargeted FAB, `rand` averages gradients over 20 passes. In L1 the
 * standard set starts APGD in larger balls, with five restarts or five targets (Croce and Hein, 2021).
 */
const sets = {
  standard: ['apgd-ce', 'apgd-t', 'fab-t', 'square'],
  plus: ['apgd-ce-5', 'apgd-dlr-5', 'fab-5', 'square', 'apgd-t', 'fab-t'],
  rand: ['apgd-ce-eot20', 'apgd-dlr-eot20'],
} as const;

const standardInL1 = ['apgd-ce-large-5', 'apgd-t-large', 'fab-t', 'square'] as const;

export type AutoAttackSet = keyof typeof sets;

export const autoAttackSets: readonly AutoAttackSet[] = ['standard', 'plus', 'rand'];

/** The number of classes below which a loss of the set is undefined and replaced by the plain margin. */
const fewestClasses = { standard: 4, plus: 4, rand: 3 } as const;

/** The attacks of a set in a norm, in order. */
export function autoAttack(set: AutoAttackSet, norm: NormName): readonly Attack[] {
  if (!Object.hasOwn(sets, set))
    throw InputError.expected(`one of ${autoAttackSets.join(', ')}`, 'autoAttack', set);
  requireNormName(norm, 'the norm of autoAttack');
  return attackNamesOf(set, norm).map(parseAttack);
}

/** The names of a set's attacks in a norm, in order. @throws {InputError} for an unknown set. */
export function attackNamesOf(set: string, norm: NormName): readonly string[] {
  const known = autoAttackSets.find((name) => name === set);
  if (known === undefined) throw InputError.expected(autoAttackSets.join(', '), 'the set of AutoAttack', set);
  return known === 'standard' && norm === 'l1' ? standardInL1 : sets[known];
}

/**
 * The AutoAttack set that a list of attacks matches exactly and in order, in this norm and on a network with this many
 * classes; `custom` for any other list. With fewer than four classes (three for `rand`) the losses of the reference are undefined, so the
 * mode is `custom`. From four to nine classes the reference requires reducing the number of targets to the number of
 * other classes, which Satin does automatically: that still counts as the set.
 */
export function modeOf(
  attacks: readonly Attack[],
  classes: number,
  norm: NormName,
): AutoAttackSet | 'custom' {
  requireArgument(attacks, 'list', 'the attacks of modeOf');
  requireArgument(classes, 'count', 'the classes of modeOf');
  requireNormName(norm, 'the norm of modeOf');
  const set = autoAttackSets.find((name) => isDeepStrictEqual(autoAttack(name, norm), attacks));
  return set !== undefined && classes >= fewestClasses[set] ? set : 'custom';
}
