import { parseActivation } from '../../activations/parse.js';
import type { ModelDescription } from '../../models/description.js';
import { arePlaceholders } from '../../models/placeholder-class-names.js';

/** Activations of timm with the same function, by Satin's names; the others timm does not know. */
const timmActivations: Readonly<Record<string, string>> = {
  relu: 'relu',
  'leaky-relu': 'leaky_relu',
  silu: 'silu',
  gelu: 'gelu',
  'gelu-tanh': 'gelu_tanh',
  elu: 'elu',
  celu: 'celu',
  mish: 'mish',
};

/** Networks of timm with the same parameters, by Satin's names. */
const timmNetworks: Readonly<Record<string, string>> = {
  'resnet18-imagenet': 'resnet18',
  resnet34: 'resnet34',
  resnet50: 'resnet50',
  resnet101: 'resnet101',
  resnet152: 'resnet152',
  'resnext50-32x4d': 'resnext50_32x4d',
  ...Object.fromEntries(
    ['b0', 'b1', 'b2', 'b3', 'b4', 'b5', 'b6', 'b7', 'l2'].map((size) => [
      `efficientnet-${size}`,
      `efficientnet_${size}`,
    ]),
  ),
};

/**
 * The `config.json` with which `timm.create_model('local-dir:FOLDER', pretrained=True)` builds a network; null where timm has no
 * network with these layers.
 */
export function timmConfig(description: ModelDescription): object | null {
  const { architecture, activation, classes, shape, normalise, width, transform } = description;
  const { padding, normEpsilon = 1e-5 } = description;
  const network = timmNetworks[architecture];
  const act = timmActivations[parseActivation(activation).name];
  const isEfficient = architecture.startsWith('efficientnet');
  // timm pads as TensorFlow in networks of another name, which need their ε of batch norm too.
  const name = padding === 'same' && isEfficient ? `tf_${network}` : network;
  if (network === undefined || act === undefined || width !== 1) return null;
  if (padding === 'same' ? !isEfficient || normEpsilon !== 1e-3 : normEpsilon !== 1e-5) return null;
  const ones = (value: number) => Array.from({ length: shape[0] }, () => value);
  const size = Math.min(shape[1], shape[2]);
  return {
    architecture: name,
    num_classes: classes.length,
    model_args: { act_layer: act, ...(shape[0] !== 3 && { in_chans: shape[0] }) },
    ...(!arePlaceholders(classes) && { label_names: classes }),
    pretrained_cfg: {
      custom_load: false,
      input_size: [...shape],
      fixed_input_size: false,
      interpolation: transform?.filter ?? 'bilinear',
      crop_pct: transform === undefined ? 1 : size / transform.resize,
      crop_mode: 'center',
      mean: normalise?.mean ?? ones(0),
      std: normalise?.std ?? ones(1),
      num_classes: classes.length,
      first_conv: isEfficient ? 'conv_stem' : 'conv1',
      classifier: isEfficient ? 'classifier' : 'fc',
    },
  };
}
