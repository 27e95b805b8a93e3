import { zeros } from '../tensor/create.js';
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
   * N(0, 2 / fan-out) for a convolution [O, I, K, K], fan-out = O · K² unless it is given: keeps the gradient's size through
   * ReLUs. He, Zhang, Ren and Sun, 2015. The weights lie channels last.
   */
  he(
    shape: readonly [number, number, number, number],
    fanOut: number = shape[0] * shape[2] * shape[3],
  ): Tensor {
    return scope(() => this.normal(shape, Math.sqrt(2 / fanOut)).contiguous('channels-last'));
  }
}

/** Gives zeros: for a network whose weights are loaded. */
export class ZeroInitialiser extends Initialiser {
  constructor(dtype: Dtype) {
    super(0, dtype);
  }

  override normal(shape: readonly number[]): Tensor {
    return zeros(shape, this.dtype);
  }
}

/** Gives weights that have a shape and no memory: for a network that is only looked at. */
export class MetaInitialiser extends Initialiser {
  constructor() {
    super(0);
  }

  override normal(shape: readonly number[]): Tensor {
    return metaTensor(shape);
  }

  override he(shape: readonly [number, number, number, number]): Tensor {
    return metaTensor(shape);
  }
}

/** Zeros of any shape in the memory of one. */
export function metaTensor(shape: readonly number[]): Tensor {
  return scope(() => zeros([]).expand(shape));
}
