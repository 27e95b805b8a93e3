import { InputError } from '../errors.js';
import { tensor } from '../tensor/create.js';
import { keep, scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';

/** Input preprocessing of an external network, applied to pixels in [0, 1]. */
export interface Preprocessing {
  /** Input values of black and white. */
  readonly range: readonly [black: number, white: number];
  /** Followed by (value − mean) / std, one number per channel or one for all; null for none. */
  readonly normalise: { readonly mean: readonly number[]; readonly std: readonly number[] } | null;
}

/** Common input ranges of networks. */
export const inputRanges = ['0,1', '-1,1', '0,255'] as const;

/** Identity: raw pixels in [0, 1]. */
export const noPreprocessing: Preprocessing = { range: [0, 1], normalise: null };

/** @throws {InputError} for a std that is not above 0, or a mean outside the input range. */
export function requirePreprocessing({ range: [black, white], normalise }: Preprocessing): void {
  if (normalise === null) return;
  const { mean, std } = normalise;
  if (std.length !== mean.length || mean.length === 0)
    throw InputError.expected(`${mean.length} numbers, as many as in \`mean\`,`, '`std`', std);
  if (!std.every((each) => each > 0)) throw InputError.expected('numbers above 0', '`std`', std);
  if (!mean.every((each) => each >= black && each <= white))
    throw InputError.expected(
      `numbers from ${black} to ${white}, the range of the input,`,
      '`mean`',
      mean,
      'Give mean and std for pixels in the input range.',
    );
}

/** A layer that applies a preprocessing to pixels in [0, 1]. */
export class PreprocessingLayer implements Disposable {
  readonly #preprocessing: Preprocessing;
  readonly #mean: Tensor | null; // [1, C, 1, 1]
  readonly #deviation: Tensor | null; // [1, C, 1, 1]

  /** @throws {InputError} for invalid values, as in `requirePreprocessing`. */
  constructor(preprocessing: Preprocessing, device = 'cpu') {
    requirePreprocessing(preprocessing);
    this.#preprocessing = preprocessing;
    const constant = (values: readonly number[] | undefined) =>
      values === undefined ? null : keep(tensor(Float32Array.from(values), [1, values.length, 1, 1], device));
    this.#mean = constant(preprocessing.normalise?.mean);
    this.#deviation = constant(preprocessing.normalise?.std);
  }

  /** (black + x (white − black) − mean) / std, for x [N, C, H, W] with pixels in [0, 1]. */
  forward(x: Tensor): Tensor {
    const { range, normalise } = this.#preprocessing;
    const [black, white] = range;
    return scope(() => {
      const ranged = black === 0 && white === 1 ? x : x.mul(white - black).add(black);
      if (normalise === null || this.#mean === null || this.#deviation === null) return ranged;
      const [count, channels] = [normalise.mean.length, x.dimension(1)];
      if (count !== 1 && count !== channels)
        throw InputError.expected(
          `${channels} numbers, one per channel,`,
          '`mean` and `std`',
          normalise.mean,
        );
      return ranged.sub(this.#mean).div(this.#deviation);
    });
  }

  dispose(): void {
    this.#mean?.dispose();
    this.#deviation?.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
