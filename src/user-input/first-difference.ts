import { isDeepStrictEqual } from 'node:util';

export interface Difference {
  /** `training.epochs` */
  readonly path: string;
  readonly first: unknown;
  readonly second: unknown;
}

/** Where two pieces of plain data differ first, in the order of the first one's keys; undefined if nowhere. */
export function firstDifference(first: unknown, second: unknown, path = ''): Difference | undefined {
  if (isDeepStrictEqual(first, second)) return undefined;
  const [a, b] = [entriesOf(first), entriesOf(second)];
  if (a === undefined || b === undefined) return { path: path === '' ? 'the whole' : path, first, second };
  for (const key of new Set([...a.keys(), ...b.keys()])) {
    const found = firstDifference(a.get(key), b.get(key), path === '' ? key : `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function entriesOf(value: unknown): Map<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return new Map(Object.entries(value));
}
