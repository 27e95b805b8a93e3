import { InputError } from '../errors.js';
import { activate, type Curve } from '../tensor/functional.js';
import { gradient, withGrad } from '../tensor/gradient.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { handleOf } from '../tensor/tensor.js';
import { requireArgument } from '../user-input/require-argument.js';

/** Learned coefficients of an activation, trained with the weights but without weight decay; [1] or [2]. */
export interface LearnedCoefficients {
  /** Initial value of the first coefficient. */
  readonly start: number;
  /** Names and initial values of the parameters. */
  readonly parameters: Readonly<Record<string, number>>;
  /** One set of coefficients per activation layer, or one shared by the whole network. */
  readonly sharing: 'layer' | 'network';
  /** Computes the coefficients, [1] or [2], from the parameters, [1] each. */
  coefficients(parameters: readonly Tensor[]): Tensor;
}

/**
 * An elementwise activation function: the subject of the paper, and an argument of every model. docs/activations.md
 * lists them all.
 */
export interface Activation {
  /** Name in recipes and on the command line: `silu`, `softplus(10)`. */
  readonly name: string;
  /** Display name: `SiLU`, `Softplus (β = 10)`. */
  readonly title: string;
  readonly formula: string;
  /** Formula of the derivative f′. */
  readonly slope: string;
  /** Number of continuous derivatives: one (`C¹`, the paper's "smooth"), none, or infinitely many. */
  readonly smoothness: 'C⁰' | 'C¹' | 'C∞';
  /** max |f″|, for learned coefficients at their initial values; infinite if f′ is discontinuous. */
  readonly curvature: number;
  /** The function that the kernels compute; learned coefficients replace those of the curve. */
  readonly curve: Curve;
  /** Surrogate derivative: the curve whose derivative the backward pass uses; by default the function's own. */
  readonly backward?: Curve;
  /** null without learned coefficients. */
  readonly learned: LearnedCoefficients | null;
}

/**
 * The forward pass of one activation with the surrogate derivative of another (Table 1 of the paper): bit-equal to the
 * first in the forward pass and to the second in the backward pass.
 *
 * @throws {InputError} if `derivative` has learned coefficients, which a surrogate cannot train.
 */
export function withBackward(activation: Activation, derivative: Activation): Activation {
  requireArgument(activation, 'activation', 'withBackward');
  requireArgument(derivative, 'activation', 'the derivative of withBackward');
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

/** f(x), with learned coefficients at their initial values; differentiable. */
export function forward(activation: Activation, x: Tensor): Tensor {
  requireArgument(activation, 'activation', 'activationForward');
  return activate(x, { curve: activation.curve, derivative: activation.backward });
}

/** f′(x); at a discontinuity, the value that the backward pass uses. */
export function derivative(activation: Activation, x: Tensor): Tensor {
  requireArgument(activation, 'activation', 'activationDerivative');
  handleOf(x, 'x of activationDerivative');
  return scope(() => {
    const point = x.detach().requireGrad_();
    return gradient(
      withGrad(() => forward(activation, point).sum()),
      point,
    );
  });
}
