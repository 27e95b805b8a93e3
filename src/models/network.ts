import { parseActivation } from '../activations/parse.js';
import { InputError } from '../errors.js';
import { activationLayers } from '../nn/activation-layer.js';
import type { Initialiser } from '../nn/initialise.js';
import { BatchNorm2d } from '../nn/layers.js';
import type { Architecture } from './architectures/architecture.js';
import { supportsSamePadding } from './architectures/names.js';
import { architectures } from './architectures/registry.js';
import type { ModelDescription } from './description.js';

/** What defines the layers of a network. */
export type NetworkDescription = Pick<
  ModelDescription,
  'architecture' | 'width' | 'activation' | 'classes' | 'shape' | 'padding' | 'normEpsilon'
>;

/**
 * Builds the network of a description, on the CPU.
 *
 * @throws {InputError} for a padding that the architecture does not support.
 */
export function createNetwork(description: NetworkDescription, initialiser: Initialiser): Architecture {
  const { architecture, width, activation, classes, shape, padding, normEpsilon } = description;
  if (padding === 'same' && !supportsSamePadding(architecture))
    throw InputError.expected('symmetric padding', architecture, padding);
  const network = architectures[architecture]({
    channels: shape[0],
    classes: classes.length,
    width,
    padding,
    activate: activationLayers(parseActivation(activation), initialiser.dtype),
    initialiser,
  });
  if (normEpsilon !== undefined)
    for (const [, module] of network.modules())
      if (module instanceof BatchNorm2d) module.epsilon = normEpsilon;
  return network;
}
