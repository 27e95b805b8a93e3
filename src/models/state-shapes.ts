import { MetaInitialiser } from '../nn/initialise.js';
import type { Architecture } from './architectures/architecture.js';
import { createNetwork, type NetworkDescription } from './network.js';

/** A network of meta tensors, which has shapes and takes no memory. */
export function metaNetwork(description: NetworkDescription): Architecture {
  return createNetwork(description, new MetaInitialiser());
}

/** The shape of each tensor in a network's state dict, by name and in order, before any of them is made. */
export function stateShapes(description: NetworkDescription): ReadonlyMap<string, readonly number[]> {
  using network = metaNetwork(description);
  return new Map([...network.state()].map(([name, tensor]) => [name, tensor.shape]));
}
