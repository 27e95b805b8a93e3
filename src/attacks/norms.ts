import { type NoiseKey, noise } from '../tensor/noise.js';
import { handleOf, type Tensor } from '../tensor/tensor.js';
import { requireArgument } from '../user-input/require-argument.js';

export type NormName = 'linf' | 'l2';

export interface RandomStartOptions {
  readonly epsilon: number;
  readonly key: NoiseKey;
  readonly ids: ArrayLike<number>;
  /** If false, the point is not clipped and may lie outside the box. @default true */
  readonly clip?: boolean;
}

/** The operations of a norm that attacks need, so that they are independent of the norm. Images are [N, C, H, W]. */
export interface Norm {
  readonly name: NormName;
  /** A uniform random point of the ball of radius `epsilon` around each image, clipped to the box [0, 1]. */
  randomStart(x: Tensor, options: RandomStartOptions): Tensor;
  /**
   * A point at distance `epsilon` from each image (normalised noise), clipped to the box: AutoAttack's random start.
   */
  edgeStart(x: Tensor, options: Omit<RandomStartOptions, 'clip'>): Tensor;
  /** The steepest-ascent direction, of norm 1; 0 where the gradient is 0 or NaN. */
  direction(gradient: Tensor): Tensor;
  /** Projection onto the ball around `x`, then onto the box. */
  project(candidate: Tensor, x: Tensor, epsilon: number): Tensor;
  /** ‖step‖ of each example in the dtype of `step`, [N, 1, 1, 1]. */
  length(step: Tensor): Tensor;
  /** Dual norm of a gradient: the directional derivative along `direction`, [N, 1, 1, 1]. */
  dualLength(gradient: Tensor): Tensor;
  /** ‖a − b‖ of each example in float64, [N]. */
  distance(a: Tensor, b: Tensor): Float64Array;
  /** The largest distance accepted for `epsilon`, with a tolerance for float32 rounding. */
  allowed(epsilon: number): number;
}

const pixels = [1, 2, 3] as const;

const linf: Norm = {
  name: 'linf',
  randomStart(x, { epsilon, key, ids, clip = true }) {
    const uniform = draw('uniform', x, key, ids); // in [0, 1)
    const point = x.add(uniform.mul(2 * epsilon).sub(epsilon));
    return clip ? point.clamp(0, 1) : point;
  },
  edgeStart(x, { epsilon, key, ids }) {
    const drawn = draw('uniform', x, key, ids).mul(2).sub(1); // in [−1, 1)
    return x.add(drawn.div(this.length(drawn)).mul(epsilon)).clamp(0, 1);
  },
  direction: (gradient) => gradient.sign(),
  length: (step) => step.abs().max(pixels, true),
  dualLength: (gradient) => gradient.abs().sum(pixels, true),
  project: (candidate, x, epsilon) => candidate.minimum(x.add(epsilon)).maximum(x.sub(epsilon)).clamp(0, 1),
  distance: (a, b) => difference(a, b).abs().max(pixels).numbers(),
  allowed: (epsilon) => epsilon + 1e-6,
};

const l2: Norm = {
  name: 'l2',
  randomStart(x, { epsilon, key, ids, clip = true }) {
    const direction = this.direction(draw('normal', x, key, ids));
    // The volume of the ball grows as r^d, so the d-th root makes the point uniform.
    const dimensions = x.size / Math.max(1, x.dimension(0));
    const radius = noise('uniform', {
      key: { ...key, stream: 'startRadius' },
      ids,
      shape: [1, 1, 1],
      dtype: 'float64',
      device: x.device,
    })
      .pow(1 / dimensions)
      .mul(epsilon)
      .to(x.dtype); // [N, 1, 1, 1]
    const point = x.add(direction.mul(radius));
    return clip ? this.project(point, x, epsilon) : point;
  },
  edgeStart(x, { epsilon, key, ids }) {
    return x.add(this.direction(draw('normal', x, key, ids)).mul(epsilon)).clamp(0, 1);
  },
  length: (step) => step.l2Norm(pixels, true),
  dualLength: (gradient) => gradient.l2Norm(pixels, true),
  direction(gradient) {
    // Divide by the largest entry first so that the squares of a tiny gradient do not underflow. The norm of a nonzero
    // gradient is then at least 1.
    const known = gradient.nanToNum();
    const largest = known.abs().max(pixels, true); // [N, 1, 1, 1]
    const scaled = known.div(largest.add(largest.eq(0).to(known.dtype)));
    return scaled.div(scaled.l2Norm(pixels, true).clamp(1, Number.POSITIVE_INFINITY));
  },
  project(candidate, x, epsilon) {
    const step = candidate.sub(x);
    const norm = step.l2Norm(pixels, true); // [N, 1, 1, 1]
    const factor = norm.clamp(epsilon, Number.POSITIVE_INFINITY).pow(-1).mul(epsilon);
    return x.add(epsilon === 0 ? step.mul(0) : step.mul(factor)).clamp(0, 1);
  },
  distance: (a, b) => difference(a, b).l2Norm(pixels).numbers(),
  allowed: (epsilon) => epsilon * (1 + 1e-5),
};

export const norms: Readonly<Record<NormName, Norm>> = { linf: guarded(linf), l2: guarded(l2) };

/** A norm whose operations refuse what is no tensor, by the name of the argument. */
function guarded(norm: Norm): Norm {
  return {
    ...norm,
    randomStart(x, options) {
      handleOf(x, 'x of randomStart');
      requireArgument(options, 'options', 'randomStart');
      return norm.randomStart(x, options);
    },
    edgeStart(x, options) {
      handleOf(x, 'x of edgeStart');
      requireArgument(options, 'options', 'edgeStart');
      return norm.edgeStart(x, options);
    },
    direction(gradient) {
      handleOf(gradient, 'the gradient of direction');
      return norm.direction(gradient);
    },
    project(candidate, x, epsilon) {
      handleOf(candidate, 'the candidate of project');
      handleOf(x, 'x of project');
      requireArgument(epsilon, 'number', 'epsilon of project');
      return norm.project(candidate, x, epsilon);
    },
    length(step) {
      handleOf(step, 'the step of length');
      return norm.length(step);
    },
    dualLength(gradient) {
      handleOf(gradient, 'the gradient of dualLength');
      return norm.dualLength(gradient);
    },
    distance(a, b) {
      handleOf(a, 'a of distance');
      handleOf(b, 'b of distance');
      return norm.distance(a, b);
    },
  };
}

function draw(distribution: 'uniform' | 'normal', x: Tensor, key: NoiseKey, ids: ArrayLike<number>): Tensor {
  return noise(distribution, { key, ids, shape: x.shape.slice(1), dtype: x.dtype, device: x.device });
}

function difference(a: Tensor, b: Tensor): Tensor {
  return a.to('float64').sub(b.to('float64'));
}
