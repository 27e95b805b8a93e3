import { operator } from '../tensor/operator.js';
import { one, type Tensor } from '../tensor/tensor.js';
import { haveKernel } from './have-kernel.js';
import type { Norm } from './norm.js';
import { norms } from './norms.js';

/** An iterate of APGD and what its next one is made of. */
export interface Ascent {
  readonly x: Tensor; // [n, C, H, W]
  /** The iterate before it. */
  readonly previous: Tensor; // [n, C, H, W]
  /** Of the loss, at `x`. */
  readonly gradient: Tensor; // [n, C, H, W]
  readonly stepSize: Tensor; // [n, 1, 1, 1]
  /** The image. */
  readonly origin: Tensor; // [n, C, H, W]
}

export interface MomentumOptions {
  readonly epsilon: number;
  /** Weight of the new direction; the last one has weight 1 − share. */
  readonly share: number;
}

/**
 * A step along the norm's direction, and on with momentum: x⁺ = project(x + α direction(∇)),
 * x_next = project(x + share (x⁺ − x) + (1 − share)(x − x_previous)). [n, C, H, W]
 *
 * Satin's own operator computes it in one pass over memory in L∞, with the bits of libtorch's operators, and in a few in L2, whose
 * norms it sums in float64; both in float32 on the CPU.
 */
export function momentumStep(norm: Norm, at: Ascent, options: MomentumOptions): Tensor {
  const { x, previous, gradient, stepSize, origin } = at;
  const isKnown = norm === norms.linf || norm === norms.l2; // and none with other operations under its name
  if (!isKnown || !haveKernel(x, previous, gradient, origin)) return composedMomentumStep(norm, at, options);
  const { epsilon, share } = options;
  const handles = [x, previous, gradient, stepSize, origin].map((each) => each.handle);
  return one(momentumOperator, ...handles, epsilon, share, norm === norms.l2);
}

/** The same of libtorch's operators. */
export function composedMomentumStep(
  norm: Norm,
  { x, previous, gradient, stepSize, origin }: Ascent,
  { epsilon, share }: MomentumOptions,
): Tensor {
  const stepped = norm.project(x.add(norm.direction(gradient).mul(stepSize)), origin, epsilon);
  const onward = x.add(stepped.sub(x).mul(share)).add(x.sub(previous).mul(1 - share));
  return norm.project(onward, origin, epsilon);
}

const momentumOperator = operator('satin::momentum_step');
