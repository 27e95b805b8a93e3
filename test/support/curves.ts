import {
  type ActivateOptions,
  type ActivationKind,
  activate,
  activationArgument,
  activationKinds,
} from '../../src/tensor/functional.js';
import { operator } from '../../src/tensor/operator.js';
import { one, type Tensor } from '../../src/tensor/tensor.js';

/** How many coefficients each kind takes, and some that it may have. */
export const coefficientsOf: Readonly<Record<ActivationKind, readonly number[]>> = {
  identity: [],
  relu: [],
  silu: [],
  'leaky-relu': [0.25],
  softplus: [2],
  gelu: [],
  'gelu-tanh': [],
  elu: [1.5],
  celu: [1.5],
  mish: [],
  'smooth-relu': [3],
  psilu: [1.5],
  pssilu: [1.5, 0.25],
};

export const kinds = Object.keys(activationKinds) as readonly ActivationKind[];

/** A curve with coefficients that its kind may have. */
export function curveOf(kind: ActivationKind) {
  const [a = 0, b = 0] = coefficientsOf[kind];
  return { kind, a, b };
}

/** The reference implementation, composed of libtorch's operators, on whatever device. */
export function composed(x: Tensor, { curve, coefficients, derivative }: ActivateOptions): Tensor {
  return one(composedOperator, x.handle, coefficients?.handle, activationArgument(curve, derivative));
}

/** Both ways to compute an activation. */
export const ways = { kernel: activate, reference: composed };

const composedOperator = operator('satin::activate_composed');
