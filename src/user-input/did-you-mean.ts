import { closestMatch } from 'leven';
import { InputError } from '../errors.js';

/**
 * The known name closest to a mistyped one, or undefined if none is close: the edit distance is at most 40 % of the
 * length, ignoring case; or the only one that begins with it, if that has three characters or more.
 */
export function nearest(received: string, known: readonly string[]): string | undefined {
  const lowered = new Map(known.map((name) => [name.toLowerCase(), name]));
  const match = closestMatch(received.toLowerCase(), [...lowered.keys()], {
    maxDistance: Math.ceil(received.length * 0.4),
  });
  if (match !== undefined) return lowered.get(match);
  const begin =
    received.length < 3 ? [] : [...lowered.keys()].filter((name) => name.startsWith(received.toLowerCase()));
  return begin.length === 1 ? lowered.get(begin[0]!) : undefined;
}

/** The largest number of names that a message lists although the nearest is known. */
const fewNames = 8;

/**
 * The error for a name that is not known. It asks whether the nearest was meant, and lists all of them where they are
 * few, or none is near.
 */
export function unknownName(options: {
  /** `an activation` */
  readonly kind: string;
  /** What the name is for: `model.activation`, `--data`. */
  readonly name: string;
  readonly received: string;
  readonly known: readonly string[];
  /** A further sentence. */
  readonly remedy?: string;
}): InputError {
  const { kind, name, received, known, remedy } = options;
  const meant = nearest(received, known);
  const expected = meant === undefined || known.length <= fewNames ? `one of ${known.join(', ')}` : kind;
  const sentences = [
    ...(meant === undefined ? [] : [`Did you mean '${meant}'?`]),
    ...(remedy ? [remedy] : []),
  ];
  return InputError.expected(expected, name, received, sentences.join(' ') || undefined);
}

/** Whether a message that names the nearest also lists all names. */
export function isShort(known: readonly unknown[]): boolean {
  return known.length <= fewNames;
}

/** The quoted names as a list in a sentence: `'a', 'b' or 'c'`. */
export function quotedList(names: readonly string[]): string {
  const quoted = names.map((name) => `'${name}'`);
  const last = quoted.pop() ?? '';
  return quoted.length === 0 ? last : `${quoted.join(', ')} or ${last}`;
}
