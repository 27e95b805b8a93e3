import type { Tensor } from '../../tensor/tensor.js';

/**
 * Which parameters weight decay applies to: `weights` of convolutions and linear layers, that is tensors of more than one
 * dimension; or `all`, also biases, batch norm and learned coefficients of activations, as PyTorch's optimizers do.
 */
export type WeightDecayOn = 'weights' | 'all';

/** Whether a parameter decays. */
export function decays(parameter: Tensor, on: WeightDecayOn): boolean {
  return on === 'all' || parameter.shape.length > 1;
}

/** The parameters that decay, and their gradients. */
export function decayingOf(
  parameters: readonly Tensor[],
  gradients: readonly Tensor[],
  on: WeightDecayOn,
): { readonly decaying: readonly Tensor[]; readonly theirGradients: readonly Tensor[] } {
  const rows = [...parameters.keys()].filter((row) => decays(parameters[row]!, on));
  return {
    decaying: rows.map((row) => parameters[row]!),
    theirGradients: rows.map((row) => gradients[row]!),
  };
}
