import { noise, permutation } from '../../tensor/noise.js';

export interface OrderOptions {
  readonly seed: number;
  /** The pass over the images, from 1. */
  readonly pass: number;
  /** The indices to shuffle, ascending. */
  readonly indices: Uint32Array;
  /** The first index of each shard; null if every image is a file of its own. */
  readonly shards: readonly number[] | null;
  /** Size of the shuffle buffer in images; null for all of them. */
  readonly buffer: number | null;
}

/**
 * The order of a pass. Without a buffer every permutation is equally likely. With a buffer the shards come in random order
 * and one image at a time is drawn from a window of that size, so that neighbouring images are read at about the same time.
 * Both depend on the seed and the pass only.
 */
export function orderOf({ seed, pass, indices, shards, buffer }: OrderOptions): Uint32Array {
  const key = { seed, stream: 'shuffle', epoch: pass } as const;
  if (shards === null || buffer === null)
    return permutation(indices.length, key).map((index) => indices[index]!);
  const inTurn = shardAfterShard(indices, shards, permutation(shards.length, key));
  using drawn = noise('uniform', { key, ids: [1], shape: [inTurn.length], dtype: 'float64' });
  const draws = drawn.numbers();
  const window = inTurn.slice(0, buffer);
  let held = window.length;
  return draws.length === 0
    ? inTurn
    : inTurn.map((_, at) => {
        const chosen = Math.floor(draws[at]! * held);
        const index = window[chosen]!;
        const next = at + buffer;
        // The window is refilled while images remain, then drained.
        window[chosen] = next < inTurn.length ? inTurn[next]! : window[--held]!;
        return index;
      });
}

function shardAfterShard(indices: Uint32Array, shards: readonly number[], order: Uint32Array): Uint32Array {
  const starts = shards.map((first) => firstAtLeast(indices, first));
  const result = new Uint32Array(indices.length);
  let at = 0;
  for (const shard of order) {
    const part = indices.subarray(starts[shard]!, starts[shard + 1] ?? indices.length);
    result.set(part, at);
    at += part.length;
  }
  return result;
}

/** Index of the first element of ascending `indices` that is at least `bound`. */
function firstAtLeast(indices: Uint32Array, bound: number): number {
  let [low, high] = [0, indices.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (indices[middle]! < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
