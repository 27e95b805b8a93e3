import { native } from '../engine/native.js';
import { type Dtype, Tensor } from './tensor.js';

/**
 * What a draw is for; draws of different streams never share a number. The numbers are part of what a seed means:
 * new streams are added at the end.
 */
export const streams = {
  weights: 0,
  shuffle: 1,
  augmentation: 2,
  trainingAttack: 3,
  attack: 4,
  dropout: 5,
  bench: 6,
  startRadius: 7,
  cleanStart: 8,
  gradAlign: 9,
} as const;
export type Stream = keyof typeof streams;

/** Which draw this is. Together with an example's id and the element's place it fixes every number. */
export interface NoiseKey {
  readonly seed: number;
  readonly stream: Stream;
  /** 0 in evaluation; training counts its epochs from 1. */
  readonly epoch?: number;
  readonly restart?: number;
  /** The target's rank in a targeted attack. */
  readonly rank?: number;
  readonly step?: number;
}

/**
 * Counter-based noise (Philox4x32-10), [ids.length, ...shape]: row i depends on the key and `ids[i]` alone, hence
 * neither on the batch's size or order nor on what was drawn before. Uniform in [0, 1) or standard normal.
 */
export function noise(
  distribution: 'uniform' | 'normal',
  options: {
    readonly key: NoiseKey;
    readonly ids: ArrayLike<number>;
    readonly shape: readonly number[];
    readonly dtype?: Dtype;
  },
): Tensor {
  const { seed, stream, epoch = 0, restart = 0, rank = 0, step = 0 } = options.key;
  return new Tensor(
    native().noise(
      distribution,
      options.shape,
      options.dtype ?? 'float32',
      [seed, streams[stream], epoch, restart, rank, step],
      Array.from(options.ids),
    ),
  );
}

/** The whole numbers 0 to `count` − 1 in a random order that the key fixes. */
export function permutation(count: number, key: NoiseKey): Uint32Array {
  using draws = noise('uniform', { key, ids: [0], shape: [count], dtype: 'float64' });
  const order = draws.numbers();
  return Uint32Array.from({ length: count }, (_, place) => place).sort(
    (a, b) => order[a]! - order[b]! || a - b,
  );
}
