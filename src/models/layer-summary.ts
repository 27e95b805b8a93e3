import { parseActivation } from '../activations/parse.js';
import { activationLayers } from '../nn/activation-layer.js';
import { MetaInitialiser, metaTensor } from '../nn/initialise.js';
import type { Module } from '../nn/module.js';
import { noGrad } from '../tensor/gradient.js';
import { scope } from '../tensor/scope.js';
import { architectures } from './architectures/registry.js';
import type { ModelDescription } from './description.js';

/** A convolution or a linear layer, as one image meets it. */
export interface LayerSummary {
  /** `layer1.0.conv1` */
  readonly name: string;
  /** [C, H, W] or [features] */
  readonly input: readonly number[];
  /** [C, H, W] or [features] */
  readonly output: readonly number[];
  /** Multiplications that are added up: numbers of the output times weights for each. */
  readonly macs: number;
}

/** What can be known of a network without its weights. */
export interface NetworkSummary {
  /** How many numbers are trained. */
  readonly parameters: number;
  /** Of convolutions and linear layers, for one image. */
  readonly macs: number;
  /** In the order in which they are computed. */
  readonly layers: readonly LayerSummary[];
  /** The shape of each tensor of the state dict, by its name and in its order. */
  readonly state: ReadonlyMap<string, readonly number[]>;
}

/**
 * Sizes of a network for images of `shape`. Its forward pass is gone through with layers that only tell their shapes, so that
 * neither weights nor the results of convolutions take memory or time.
 */
export function layerSummary(
  description: Pick<ModelDescription, 'architecture' | 'width' | 'activation' | 'shape' | 'classes'>,
): NetworkSummary {
  const { architecture, width, activation, shape, classes } = description;
  using network = architectures[architecture]({
    channels: shape[0],
    classes: classes.length,
    width,
    activate: activationLayers(parseActivation(activation), 'float32'),
    initialiser: new MetaInitialiser(),
  });
  const names = new Map([...network.modules()].map(([name, module]) => [module, name]));
  const layers: LayerSummary[] = [];
  const tell = (layer: Module, input: readonly number[], output: readonly number[]) => {
    const name = names.get(layer) ?? '';
    const [, ...window] = state.get(`${name}.weight`) ?? []; // of one number of the output
    const macs = [...output, ...window].reduce((product, size) => product * size, 1);
    layers.push({ name, input: input.slice(1), output: output.slice(1), macs });
  };
  const state = new Map([...network.state()].map(([name, tensor]) => [name, tensor.shape]));
  scope(() => {
    noGrad(() => network.forward(metaTensor([1, ...shape]), { train: false, outline: tell }));
  });
  return {
    parameters: [...network.parameters().values()].reduce((sum, { size }) => sum + size, 0),
    macs: layers.reduce((sum, { macs }) => sum + macs, 0),
    layers,
    state,
  };
}
