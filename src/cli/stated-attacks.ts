import { Option } from '@commander-js/extra-typings';
import { attackForms } from '../attacks/attack.js';
import { attackNamesOf, autoAttackSets } from '../attacks/autoattack.js';
import { comparisonAttacks } from '../attacks/comparison-attacks.js';
import { InputError } from '../errors.js';
import type { NormName } from '../user-input/norm-name.js';
import { several } from './option-parsers.js';

/** The options by which attacks are chosen, where several may run. */
export const attackOptions = {
  attack: () =>
    new Option(
      '--attack <name>',
      `${attackForms}; repeatable (default: ${comparisonAttacks.join(', ')})`,
    ).argParser(several),
  autoattack: () =>
    new Option('--autoattack <set>', "run one of AutoAttack's sets instead of --attack").choices(
      autoAttackSets,
    ),
};

interface AttackWords {
  readonly attack?: readonly string[] | undefined;
  readonly autoattack?: string | undefined;
}

/** The attacks given by `--attack` or `--autoattack`, in a norm. @throws {InputError} if both are used. */
export function statedAttacks(
  { attack, autoattack }: AttackWords,
  norm: NormName,
): readonly string[] | undefined {
  if (autoattack === undefined) return attack;
  if (attack !== undefined)
    throw InputError.expected(
      'no --attack',
      `--autoattack ${autoattack}`,
      attack.join(', '),
      'A set cannot be extended; list all attacks with --attack instead.',
    );
  return attackNamesOf(autoattack, norm);
}
