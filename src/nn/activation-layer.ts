import { type Activation, withBackward } from '../activations/activation.js';
import { tensor } from '../tensor/create.js';
import { type ActivateOptions, activate } from '../tensor/functional.js';
import type { Dtype, Tensor } from '../tensor/tensor.js';
import { Module, type Pass } from './module.js';

/** An activation as a layer; owns its learned coefficients as parameters. */
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
    return activate(x, this.kernelOptions(pass));
  }

  /** Arguments of the activation kernels for this pass. */
  kernelOptions({ derivative }: Pass): ActivateOptions {
    const { curve, learned, backward } =
      derivative === undefined ? this.activation : withBackward(this.activation, derivative);
    return { curve, coefficients: learned?.coefficients(this.#parameters), derivative: backward };
  }
}

/**
 * A factory of a network's activation layers: a new layer per call, or one shared layer if its coefficients are shared.
 */
export function activationLayers(activation: Activation, dtype: Dtype): () => ActivationLayer {
  if (activation.learned?.sharing !== 'network') return () => new ActivationLayer(activation, dtype);
  let shared: ActivationLayer | undefined;
  return () => {
    shared ??= new ActivationLayer(activation, dtype);
    return shared;
  };
}
