import { isDeepStrictEqual } from 'node:util';
import { InputError } from '../errors.js';
import { type Attack, parseAttack } from './attack.js';

/**
 * AutoAttack's sets (Croce and Hein, 2020): which attacks, in which order. Steps, targets and restarts are those of the
 * names, see `attack.ts`: `plus` starts APGD and the untargeted FAB five times, `rand` averages gradients over 20 passes.
 */
const sets = {
  standard: ['apgd-ce', 'apgd-t', 'fab-t', 'square'],
  plus: ['apgd-ce-5', 'apgd-dlr-5', 'fab-5', 'square', 'apgd-t', 'fab-t'],
  rand: ['apgd-ce-eot20', 'apgd-dlr-eot20'],
} as const;

export type AutoAttackSet = keyof typeof sets;

export const autoAttackSets: readonly AutoAttackSet[] = ['standard', 'plus', 'rand'];

/** Fewer classes than this, and a loss of the sets is not defined: the plain margin takes its place. */
const fewestClasses = { standard: 4, plus: 4, rand: 3 } as const;

/** The attacks of a set, in order. */
export function autoAttack(set: AutoAttackSet): readonly Attack[] {
  return sets[set].map(parseAttack);
}

/** The names of a set's attacks, in order. @throws {InputError} for an unknown set. */
export function attackNamesOf(set: string): readonly string[] {
  const known = autoAttackSets.find((name) => name === set);
  if (known === undefined) throw InputError.expected(autoAttackSets.join(', '), 'the set of AutoAttack', set);
  return sets[known];
}

/**
 * Which of AutoAttack's sets a list of attacks is, to the letter and in order, on a network of so many classes;
 * `custom` for every other list. With fewer than four classes (three for `rand`) the reference cannot run a set at all,
 * as its losses want more, so what Satin runs there is `custom`. From four to nine classes the reference asks its user
 * to lower the number of targets to all other classes, which Satin does by itself: that is the set.
 */
export function modeOf(attacks: readonly Attack[], classes: number): AutoAttackSet | 'custom' {
  const set = autoAttackSets.find((name) => isDeepStrictEqual(autoAttack(name), attacks));
  return set !== undefined && classes >= fewestClasses[set] ? set : 'custom';
}
