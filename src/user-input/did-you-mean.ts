import { closestMatch } from 'leven';

/**
 * The known name closest to a mistyped one, or undefined if none is close: the edit distance is at most 40 % of the
 * length, ignoring case.
 */
export function nearest(received: string, known: readonly string[]): string | undefined {
  const lowered = new Map(known.map((name) => [name.toLowerCase(), name]));
  const match = closestMatch(received.toLowerCase(), [...lowered.keys()], {
    maxDistance: Math.ceil(received.length * 0.4),
  });
  return match === undefined ? undefined : lowered.get(match);
}

/** The quoted names as a list in a sentence: `'a', 'b' or 'c'`. */
export function quotedList(names: readonly string[]): string {
  const quoted = names.map((name) => `'${name}'`);
  const last = quoted.pop() ?? '';
  return quoted.length === 0 ? last : `${quoted.join(', ')} or ${last}`;
}
