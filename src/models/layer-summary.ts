import { metaTensor } from '../nn/initialise.js';
import { BatchNorm2d } from '../nn/layers.js';
import type { Module } from '../nn/module.js';
import { noGrad } from '../tensor/gradient.js';
import { scope } from '../tensor/scope.js';
import { requireArgument } from '../user-input/require-argument.js';
import { requireArchitecture } from './architectures/names.js';
import type { NetworkDescription } from './network.js';
import { metaNetwork } from './state-shapes.js';

/** Sizes of a convolution or linear layer for one image. */
export interface LayerSummary {
  /** `layer1.0.conv1` */
  readonly name: string;
  /** [C, H, W] or [features] */
  readonly input: readonly number[];
  /** [C, H, W] or [features] */
  readonly output: readonly number[];
  /** Multiply-accumulate operations: output elements times weights per element. */
  readonly macs: number;
}

/** Sizes of a network, independent of its weights. */
export interface NetworkSummary {
  /** Number of trainable parameters. */
  readonly parameters: number;
  /** Multiply-accumulate operations of convolutions and linear layers for one image. */
  readonly macs: number;
  /** The fewest values per channel that one image gives to a batch norm: the smallest feature map. */
  readonly smallestNorm: number;
  /** Convolutions and linear layers in forward order. */
  readonly layers: readonly LayerSummary[];
  /** Shape of each tensor in the state dict, by name and in order. */
  readonly state: ReadonlyMap<string, readonly number[]>;
}

/**
 * Sizes of a network for images of `shape`. Runs a forward pass on meta tensors, so that neither weights nor
 * activations take memory or time.
 */
export function layerSummary(description: NetworkDescription): NetworkSummary {
  requireArgument(description, 'description', 'layerSummary');
  requireArchitecture(description.architecture);
  using network = metaNetwork(description);
  const names = new Map([...network.modules()].map(([name, module]) => [module, name]));
  const layers: LayerSummary[] = [];
  let smallestNorm = Number.POSITIVE_INFINITY;
  const record = (layer: Module, input: readonly number[], output: readonly number[]) => {
    if (layer instanceof BatchNorm2d) {
      smallestNorm = Math.min(smallestNorm, output[2]! * output[3]!);
      return;
    }
    const name = names.get(layer) ?? '';
    const [, ...filter] = state.get(`${name}.weight`) ?? []; // weights per output element
    const macs = [...output, ...filter].reduce((product, size) => product * size, 1);
    layers.push({ name, input: input.slice(1), output: output.slice(1), macs });
  };
  const state = new Map([...network.state()].map(([name, tensor]) => [name, tensor.shape]));
  scope(() => {
    noGrad(() =>
      network.forward(metaTensor([1, ...description.shape]), { train: false, shapeObserver: record }),
    );
  });
  return {
    parameters: [...network.parameters().values()].reduce((sum, { size }) => sum + size, 0),
    macs: layers.reduce((sum, { macs }) => sum + macs, 0),
    smallestNorm,
    layers,
    state,
  };
}
