import { native } from '../engine/native.js';
import { InputError } from '../errors.js';
import { requireArgument } from '../user-input/require-argument.js';
import { type Dtype, Tensor } from './tensor.js';

/**
 * The purpose of a draw; different streams are independent. The numbers determine what a seed generates, so new streams
 * are added at the end.
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

/** The key of a draw. Together with the example id and the element index it determines every value. */
export interface NoiseKey {
  readonly seed: number;
  readonly stream: Stream;
  /** 0 in evaluation; training epochs start at 1. */
  readonly epoch?: number;
  readonly restart?: number;
  /** Rank of the target class in a targeted attack. */
  readonly rank?: number;
  readonly step?: number;
}

/**
 * Counter-based noise (Philox4x32-10), [ids.length, ...shape]: row i depends only on the key and `ids[i]`, not on the
 * batch size, the order or previous draws, and on every device it has the same values. Uniform in [0, 1) or standard normal.
 */
export function noise(
  distribution: 'uniform' | 'normal',
  options: {
    readonly key: NoiseKey;
    readonly ids: ArrayLike<number>;
    readonly shape: readonly number[];
    readonly dtype?: Dtype;
    /** @default 'cpu' */
    readonly device?: string;
  },
): Tensor {
  requireArgument(options, 'options', 'noise');
  requireArgument(options.key, 'options', 'the noise key');
  requireArgument(options.ids, 'list', 'the ids of noise');
  const { seed, stream, epoch = 0, restart = 0, rank = 0, step = 0 } = options.key;
  if (!Object.hasOwn(streams, stream))
    throw InputError.expected(
      `one of ${Object.keys(streams).join(', ')}`,
      'the stream of the noise key',
      stream,
    );
  return new Tensor(
    native().noise(
      distribution,
      options.shape,
      options.dtype ?? 'float32',
      [seed, streams[stream], epoch, restart, rank, step],
      Array.from(options.ids),
      options.device ?? 'cpu',
    ),
  );
}

/** A random permutation of 0 to `count` − 1, determined by the key. */
export function permutation(count: number, key: NoiseKey): Uint32Array {
  requireArgument(count, 'whole', 'the count of permutation');
  using draws = noise('uniform', { key, ids: [0], shape: [count], dtype: 'float64' });
  const order = draws.numbers();
  return Uint32Array.from({ length: count }, (_, index) => index).sort(
    (a, b) => order[a]! - order[b]! || a - b,
  );
}
