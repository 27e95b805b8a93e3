import { closestMatch } from 'leven';

/**
 * The known name that a mistyped one most likely meant, or undefined where none is close: at most 40 %
 * of the letters may differ, upper and lower case are the same.
 */
export function nearest(received: string, known: readonly string[]): string | undefined {
  const lowered = new Map(known.map((name) => [name.toLowerCase(), name]));
  const match = closestMatch(received.toLowerCase(), [...lowered.keys()], {
    maxDistance: Math.ceil(received.length * 0.4),
  });
  return match === undefined ? undefined : lowered.get(match);
}

/** The names in quotes, as a sentence lists them: `'a', 'b' or 'c'`. */
export function list(names: readonly string[]): string {
  const quoted = names.map((name) => `'${name}'`);
  const last = quoted.pop() ?? '';
  return quoted.length === 0 ? last : `${quoted.join(', ')} or ${last}`;
}
