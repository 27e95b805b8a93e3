import { ones, zeros } from '../tensor/create.js';
import { noise } from '../tensor/noise.js';
import { scope } from '../tensor/scope.js';
import type { Dtype, Tensor } from '../tensor/tensor.js';

/** Draws the initial weights of a network: the n-th tensor depends on the seed and n only. */
export class Initialiser {
  #drawn = 0;

  constructor(
    readonly seed: number,
    readonly dtype: Dtype = 'float32',
  ) {}

  /** Samples from N(0, deviation²). */
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
   * N(0, 2 / fan-out) for a convolution [O, I, K, K], fan-out = O · K² by default: preserves the gradient's magnitude
   * through ReLUs (He, Zhang, Ren and Sun, 2015). The memory format is channels-last.
   */
  he(
    shape: readonly [number, number, number, number],
    fanOut: number = shape[0] * shape[2] * shape[3],
  ): Tensor {
    return scope(() => this.normal(shape, Math.sqrt(2 / fanOut)).contiguous('channels-last'));
  }

  /** The same number everywhere, which takes no draw. */
  constant(shape: readonly number[], value: 0 | 1): Tensor {
    return value === 0 ? zeros(shape, this.dtype) : ones(shape, this.dtype);
  }
}

/** Initialises to zero, for a network whose weights are loaded afterwards. */
export class ZeroInitialiser extends Initialiser {
  constructor(dtype: Dtype) {
    super(0, dtype);
  }

  override normal(shape: readonly number[]): Tensor {
    return zeros(shape, this.dtype);
  }
}

/** Creates meta tensors, for a network that only reports its shapes. */
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

  override constant(shape: readonly number[]): Tensor {
    return metaTensor(shape);
  }
}

/** A meta tensor: a shape without storage of its own, implemented as an expanded scalar 0. */
export function metaTensor(shape: readonly number[]): Tensor {
  return scope(() => zeros([]).expand(shape));
}
