import { type Activation, withBackward } from '../activations/activation.js';
import { tensor } from '../tensor/create.js';
import { type ActivateOptions, activate } from '../tensor/functional.js';
import type { Dtype, Tensor } from '../tensor/tensor.js';
import { Module, type Pass } from './module.js';

/** An activation at its place in a network: what it learns is a parameter here. */
export class ActivationLayer extends Module {
  readonly #parameters: readonly Tensor[];

  constructor(
    readonly activation: Activation,
    dtype: Dtype,
  ) {
    super();
    this.#parameters = Object.entries(activation.learned?.parameters ?? {}).map(([name, start]) =>
      this.parameter(name, tensor(Float64Array.of(start), [1]).to(dtype)),
    );
  }

  forward(x: Tensor, pass: Pass): Tensor {
    return activate(x, this.call(pass));
  }

  /** What the kernels are to compute in this pass. */
  call({ derivative }: Pass): ActivateOptions {
    const { curve, learned, backward } =
      derivative === undefined ? this.activation : withBackward(this.activation, derivative);
    return { curve, coefficients: learned?.coefficients(this.#parameters), derivative: backward };
  }
}

/** Makes the activation of each place of a network: one after another, or the same again where they share what they learn. */
export function activationLayers(activation: Activation, dtype: Dtype): () => ActivationLayer {
  if (activation.learned?.each !== 'network') return () => new ActivationLayer(activation, dtype);
  let shared: ActivationLayer | undefined;
  return () => {
    shared ??= new ActivationLayer(activation, dtype);
    return shared;
  };
}
