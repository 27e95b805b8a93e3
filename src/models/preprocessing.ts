import { InputError } from '../errors.js';
import { tensor } from '../tensor/create.js';
import { keep, scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';

/** What a network that was made elsewhere wants to see in place of pixels in [0, 1]. */
export interface Preprocessing {
  /** Black and white. */
  readonly range: readonly [black: number, white: number];
  /** (value − mean) / std behind that, one number a channel or one for all; null where there is none. */
  readonly normalise: { readonly mean: readonly number[]; readonly std: readonly number[] } | null;
}

/** Ranges in which images are commonly handed to networks. */
export const inputRanges = ['0,1', '-1,1', '0,255'] as const;

/** Pixels as they are. */
export const noPreprocessing: Preprocessing = { range: [0, 1], normalise: null };

/** @throws {InputError} for a std that is not above 0, and a mean that no image of this range can have. */
export function requirePreprocessing({ range: [black, white], normalise }: Preprocessing): void {
  if (normalise === null) return;
  const { mean, std } = normalise;
  if (std.length !== mean.length || mean.length === 0)
    throw InputError.expected(`as many numbers as \`mean\` has, ${mean.length},`, '`std`', std);
  if (!std.every((each) => each > 0)) throw InputError.expected('numbers above 0', '`std`', std);
  if (!mean.every((each) => each >= black && each <= white))
    throw InputError.expected(
      `numbers from ${black} to ${white}, the range of the input,`,
      '`mean`',
      mean,
      'Mean and std are those of pixels in the range that is stated.',
    );
}

/** The layer that brings pixels in [0, 1] into the form that a network wants. */
export class PreprocessingLayer implements Disposable {
  readonly #form: Preprocessing;
  readonly #mean: Tensor | null; // [1, C, 1, 1]
  readonly #deviation: Tensor | null; // [1, C, 1, 1]

  /** @throws {InputError} for a form that no images have. */
  constructor(form: Preprocessing) {
    requirePreprocessing(form);
    this.#form = form;
    const constant = (values: readonly number[] | undefined) =>
      values === undefined ? null : keep(tensor(Float32Array.from(values), [1, values.length, 1, 1]));
    this.#mean = constant(form.normalise?.mean);
    this.#deviation = constant(form.normalise?.std);
  }

  /** x [N, C, H, W] of pixels in [0, 1] → (black + x (white − black) − mean) / std. */
  forward(x: Tensor): Tensor {
    const { range, normalise } = this.#form;
    const [black, white] = range;
    return scope(() => {
      const ranged = black === 0 && white === 1 ? x : x.mul(white - black).add(black);
      if (normalise === null || this.#mean === null || this.#deviation === null) return ranged;
      const [count, channels] = [normalise.mean.length, x.dimension(1)];
      if (count !== 1 && count !== channels)
        throw InputError.expected(`${channels} numbers, one a channel,`, '`mean` and `std`', normalise.mean);
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
