import type { NoiseKey } from '../tensor/noise.js';
import type { Tensor } from '../tensor/tensor.js';
import type { NormName } from '../user-input/norm-name.js';
import type { StepRule } from './step-rule.js';

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
  /** A point at distance `epsilon` from each image (normalised noise), clipped to the box: FAB's random start. */
  edgeStart(x: Tensor, options: Omit<RandomStartOptions, 'clip'>): Tensor;
  /** APGD's random start, in ball and box. */
  apgdStart(x: Tensor, options: Omit<RandomStartOptions, 'clip'>): Tensor;
  /** A step of norm 1 that increases the loss: in L∞ and L2 the steepest; 0 where the gradient is 0 or NaN. */
  direction(gradient: Tensor): Tensor;
  /** The directions and step sizes of APGD. */
  readonly stepRule: StepRule;
  /** A point of ball and box near the candidate, which itself is returned if it is one. */
  project(candidate: Tensor, x: Tensor, epsilon: number): Tensor;
  /** ‖step‖ of each example in the dtype of `step`, [N, 1, 1, 1]. */
  length(step: Tensor): Tensor;
  /** Dual norm of a gradient: the largest directional derivative along a step of norm 1, [N, 1, 1, 1]. */
  dualLength(gradient: Tensor): Tensor;
  /** ‖a − b‖ of each example in float64, [N]. */
  distance(a: Tensor, b: Tensor): Float64Array;
  /** The largest distance accepted for `epsilon`, with a tolerance for float32 rounding. */
  allowed(epsilon: number): number;
}
