import { InputError } from '../errors.js';
import { activate, type Curve } from '../tensor/functional.js';
import { gradient, withGrad } from '../tensor/gradient.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';

/** Coefficients that are trained with the weights, and never decayed: [1] or [2] numbers. */
export interface LearnedCoefficients {
  /** Where the first coefficient starts. */
  readonly start: number;
  /** The parameters' names, and what they start from. */
  readonly parameters: Readonly<Record<string, number>>;
  /** Each place of a network has its own, or all share one set. */
  readonly each: 'place' | 'network';
  /** What the function takes, [1] or [2], from the parameters, [1] each. */
  coefficients(parameters: readonly Tensor[]): Tensor;
}

/**
 * An activation function: the subject of the paper, and an argument of every model. It acts on each number alone.
 * docs/activations.md shows them all.
 */
export interface Activation {
  /** As it is written in recipes and on the command line: `silu`, `softplus(10)`. */
  readonly name: string;
  /** As people write it: `SiLU`, `Softplus (β = 10)`. */
  readonly title: string;
  readonly formula: string;
  /** f′ as a formula. */
  readonly slope: string;
  /** How often it can be differentiated with a continuous result: once (`C¹`, the paper's "smooth"), never, or ever on. */
  readonly smoothness: 'C⁰' | 'C¹' | 'C∞';
  /** The largest |f″|, of learned coefficients at their start; infinite where f′ jumps. */
  readonly curvature: number;
  /** What the kernels compute; coefficients that are learned replace its own. */
  readonly curve: Curve;
  /** Whose derivative gradients take; only where it is not the function's own. */
  readonly backward?: Curve;
  /** null where nothing is learned. */
  readonly learned: LearnedCoefficients | null;
}

/**
 * The values of one activation with the derivative of another (Table 1 of the paper): bit-equal to the first forward and to
 * the second backward.
 *
 * @throws {InputError} where the second one's coefficient is learned: a stand-in learns nothing.
 */
export function withBackward(activation: Activation, derivative: Activation): Activation {
  if (derivative.learned !== null)
    throw InputError.expected('an activation whose coefficient is fixed', 'the derivative', derivative.name);
  return {
    ...activation,
    name: `${activation.name} with the derivative of ${derivative.name}`,
    title: `${activation.title} with the derivative of ${derivative.title}`,
    slope: derivative.slope,
    backward: derivative.curve,
  };
}

/** f(x) of an activation without learned coefficients, or with those that learning starts from; recorded for gradients. */
export function forward(activation: Activation, x: Tensor): Tensor {
  return activate(x, { curve: activation.curve, derivative: activation.backward });
}

/** f′(x). At a jump, the value that gradients take there. */
export function derivative(activation: Activation, x: Tensor): Tensor {
  return scope(() => {
    const point = x.detach().requireGrad_();
    return gradient(
      withGrad(() => forward(activation, point).sum()),
      point,
    );
  });
}
