import { attackNamesOf } from '../attacks/autoattack.js';
import { InputError } from '../errors.js';

interface AttackWords {
  readonly attack?: readonly string[] | undefined;
  readonly autoattack?: string | undefined;
}

/** The attacks given by `--attack` or `--autoattack`. @throws {InputError} if both are used. */
export function statedAttacks({ attack, autoattack }: AttackWords): readonly string[] | undefined {
  if (autoattack === undefined) return attack;
  if (attack !== undefined)
    throw InputError.expected(
      'no --attack',
      `--autoattack ${autoattack}`,
      attack.join(', '),
      'A set cannot be extended; list all attacks with --attack instead.',
    );
  return attackNamesOf(autoattack);
}
