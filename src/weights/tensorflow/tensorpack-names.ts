import type { Placement } from './variable.js';

/** Whether variables are those of a ResNet of tensorpack. */
export function isTensorpack(names: Iterable<string>): boolean {
  for (const name of names) if (name === 'conv0/W') return true;
  return false;
}

/**
 * Where a variable of tensorpack's ResNet (the paper's `ResNet/resnet_model.py`) goes among torchvision's names; null if
 * it is no weight: optimiser slots, counters, averages of losses.
 *
 *     conv0/W                        conv1.weight, from BGR, the order in which tensorpack reads images
 *     conv0/bn/{gamma,beta}          bn1.{weight,bias}
 *     conv0/bn/{mean,variance}/EMA   bn1.running_{mean,var}
 *     groupG/blockB/convK/...        layer{G+1}.B.convK and bnK
 *     groupG/blockB/convshortcut     layer{G+1}.B.downsample.0 and .1
 *     linear/{W,b}                   fc.{weight,bias}
 *     .../smoothrelu_beta            act1.r and so on: the root of the coefficient, as in the released code
 */
export function tensorpackPlacement(name: string): Placement | null {
  if (name === 'linear/W') return { name: 'fc.weight', layout: 'matrix' };
  if (name === 'linear/b') return { name: 'fc.bias', layout: 'vector' };
  const [, stem, group, block, layer, rest] = pattern.exec(name) ?? [];
  if (rest === undefined) return null;
  if (stem !== undefined) return inLayer('', '1', rest, 'bgr-kernel');
  const prefix = `layer${Number(group) + 1}.${block}.`;
  if (layer === undefined) return rest === coefficient ? { name: `${prefix}act3.r`, layout: 'vector' } : null;
  if (layer !== 'convshortcut') return inLayer(prefix, layer.slice(-1), rest, 'kernel');
  if (rest === 'W') return { name: `${prefix}downsample.0.weight`, layout: 'kernel' };
  const kind = norms[rest];
  return kind === undefined ? null : { name: `${prefix}downsample.1.${kind}`, layout: 'vector' };
}

const pattern = /^(?:(conv0)|group([0-3])\/block(\d{1,3})(?:\/(conv[123]|convshortcut))?)\/(.+)$/;

const coefficient = 'smoothrelu_beta';

const norms: Readonly<Record<string, string>> = {
  'bn/gamma': 'weight',
  'bn/beta': 'bias',
  'bn/mean/EMA': 'running_mean',
  'bn/variance/EMA': 'running_var',
};

function inLayer(
  prefix: string,
  number: string,
  rest: string,
  layout: 'kernel' | 'bgr-kernel',
): Placement | null {
  if (rest === 'W') return { name: `${prefix}conv${number}.weight`, layout };
  if (rest === coefficient) return { name: `${prefix}act${number}.r`, layout: 'vector' };
  const kind = norms[rest];
  return kind === undefined ? null : { name: `${prefix}bn${number}.${kind}`, layout: 'vector' };
}
