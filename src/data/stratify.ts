import { createHash } from 'node:crypto';

/**
 * Random draws by hashing: examples are ranked by a hash of the purpose, the seed and their key. A draw therefore depends
 * on neither the order of the examples nor other draws, and can be reproduced with sha256 alone.
 */
export interface StratifiedDraw {
  /** Makes draws with the same seed independent, e.g. `validation`. */
  readonly purpose: string;
  readonly seed: number;
  /** The label of each example. */
  readonly labels: ArrayLike<number>;
  /** Identifies each example independently of its index: its id, or its path in the folder. */
  readonly keys: ArrayLike<number | string>;
  /** Number of examples to draw from each class, by label. */
  readonly counts: readonly number[];
}

/** The indices of the drawn examples, ascending: the first of each class by hash. */
export function drawStratified({ purpose, seed, labels, keys, counts }: StratifiedDraw): Uint32Array {
  const lines = counts.map((): { position: number; place: number }[] => []);
  for (let position = 0; position < labels.length; position++)
    lines[labels[position]!]!.push({ position, place: placeInLine(purpose, seed, keys[position]!) });
  const drawn = lines.flatMap((line, label) =>
    line
      .sort((a, b) => a.place - b.place || a.position - b.position)
      .slice(0, counts[label])
      .map(({ position }) => position),
  );
  return Uint32Array.from(drawn).sort();
}

/** The first 48 bits of sha256("satin PURPOSE SEED KEY"), which a double holds exactly. */
function placeInLine(purpose: string, seed: number, key: number | string): number {
  return createHash('sha256').update(`satin ${purpose} ${seed} ${key}`).digest().readUIntBE(0, 6);
}

/** Number of examples of each class, by label. */
export function classCounts(labels: ArrayLike<number>, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (let i = 0; i < labels.length; i++) counts[labels[i]!]!++;
  return counts;
}

/**
 * Distributes `total` over the classes in proportion to `sizes` by largest remainders (ties to the smaller label). No class
 * gives more than its size minus `keep`. Requires `total` to be at most the sum of what the classes can give.
 */
export function proportionalCounts(sizes: readonly number[], total: number, keep: 0 | 1 = 0): number[] {
  const all = sizes.reduce((sum, size) => sum + size, 0);
  const most = sizes.map((size) => Math.max(0, size - keep));
  const counts = sizes.map((size, label) => Math.min(most[label]!, Math.floor((total * size) / all)));
  // An integer remainder, so that rounding cannot decide between two classes.
  const byRemainder = sizes
    .map((size, label) => ({ label, remainder: (total * size) % all }))
    .sort((a, b) => b.remainder - a.remainder || a.label - b.label);
  let left = total - counts.reduce((sum, count) => sum + count, 0);
  while (left > 0) {
    const before = left;
    for (const { label } of byRemainder) {
      if (left === 0) break;
      if (counts[label]! >= most[label]!) continue;
      counts[label]!++;
      left--;
    }
    if (left === before) throw new RangeError(`${total} examples are more than the classes can give.`);
  }
  return counts;
}
