import { noise } from '../tensor/noise.js';
import { scope } from '../tensor/scope.js';
import type { Dtype, Tensor } from '../tensor/tensor.js';

/** Draws the starting weights of a network: the n-th tensor asked for depends on the seed and n alone. */
export class Initialiser {
  #drawn = 0;

  constructor(
    readonly seed: number,
    readonly dtype: Dtype = 'float32',
  ) {}

  /** Numbers from N(0, deviation²). */
  normal(shape: readonly number[], deviation: number): Tensor {
    const id = this.#drawn++;
    return scope(() => {
      const draw = noise('normal', {
        key: { seed: this.seed, stream: 'weights' },
        ids: [id],
        shape,
        dtype: this.dtype,
      });
      return draw.mul(deviation).reshape(shape);
    });
  }

  /**
   * N(0, 2 / fan-out) for a convolution [O, I, K, K], fan-out = O · K²: keeps the gradient's size through ReLUs.
   * He, Zhang, Ren and Sun, 2015.
   */
  he(shape: readonly [number, number, number, number]): Tensor {
    return this.normal(shape, Math.sqrt(2 / (shape[0] * shape[2] * shape[3])));
  }
}
