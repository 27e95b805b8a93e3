import { createHash } from 'node:crypto';

/**
 * Draws without a generator: every example has a place in line that is a hash of the purpose, the seed
 * and its own key. A draw therefore depends on neither the order of the examples nor on any other draw,
 * and anybody can repeat it with sha256 alone.
 */
export interface StratifiedDraw {
  /** Keeps draws apart that share a seed, e.g. `validation`. */
  readonly purpose: string;
  readonly seed: number;
  /** The label of each example. */
  readonly labels: ArrayLike<number>;
  /** What identifies each example, apart from where it stands: its id, or its path in the folder. */
  readonly keys: ArrayLike<number | string>;
  /** How many are drawn of each class, by label. */
  readonly counts: readonly number[];
}

/** The positions of the drawn examples, ascending: of each class those that stand first in line. */
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

/** How many examples each class has, by label. */
export function classCounts(labels: ArrayLike<number>, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (let i = 0; i < labels.length; i++) counts[labels[i]!]!++;
  return counts;
}

/**
 * Shares `total` out over the classes in proportion to `sizes`: the whole parts first, then one each to
 * the classes with the largest remainders (the smaller label first where they are equal). No class gives
 * more than its size less `keep`. Expects `total` at most the sum of what the classes can give.
 */
export function proportionalCounts(sizes: readonly number[], total: number, keep: 0 | 1 = 0): number[] {
  const all = sizes.reduce((sum, size) => sum + size, 0);
  const most = sizes.map((size) => Math.max(0, size - keep));
  const counts = sizes.map((size, label) => Math.min(most[label]!, Math.floor((total * size) / all)));
  // The remainder as a whole number, so that no rounding decides between two classes.
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
