import { isDeepStrictEqual } from 'node:util';

export interface Difference {
  /** `training.epochs` */
  readonly path: string;
  readonly first: unknown;
  readonly second: unknown;
}

/** The first difference of two plain values, in the key order of the first; undefined if they are equal. */
export function firstDifference(first: unknown, second: unknown, path = ''): Difference | undefined {
  if (isDeepStrictEqual(first, second)) return undefined;
  const [a, b] = [entriesOf(first), entriesOf(second)];
  if (a === undefined || b === undefined) return { path: path === '' ? 'root' : path, first, second };
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
