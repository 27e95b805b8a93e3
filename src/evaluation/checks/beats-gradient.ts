import type { Attack } from '../../attacks/attack.js';
import type { AttackResult } from '../result.js';
import type { Flag } from './flag.js';
import { thresholds } from './thresholds.js';

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
      message: `Square, which asks for no gradient, broke ${square} examples that the attacks before it left: they may follow a gradient that misleads, and the robust accuracy may still be too high. Add what is missing of apgd-ce, apgd-t and fab-t, give Square restarts (square-3), and try --surrogate "softplus(10)".`,
    });
  if (surrogate > few)
    flags.push({
      code: 'surrogate-beats-gradient',
      message: `Attacks through another derivative broke ${surrogate} examples that the network's own gradient did not: it hides its gradient, and the attacks without --surrogate flatter it. Compare networks by the number with --surrogate.`,
    });
  return flags;
}
