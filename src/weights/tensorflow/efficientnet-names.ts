import type { Placement } from './variable.js';

/** Whether variables are those of the TPU code's EfficientNet. */
export function isTpuEfficientNet(names: Iterable<string>): boolean {
  for (const name of names) if (/^efficientnet-[^/]+\/stem\//.test(name)) return true;
  return false;
}

/** Suffix of the exponential moving averages, which the TPU code evaluates if it keeps them. */
export const averageSuffix = '/ExponentialMovingAverage';

/**
 * Where a variable of the TPU code's EfficientNet (the paper's `EfficientNet/efficientnet_model.py`) goes among timm's
 * names; null if it is no weight. TensorFlow numbers the layers of a block in the order of their first call, so that
 * `conv2d` is the expansion, or the projection in a block without one.
 *
 * @param blocks the names of the network's blocks, in order: `blocks.0.0`, `blocks.1.0`, `blocks.1.1` and so on.
 */
export function efficientNetPlacement(name: string, blocks: readonly string[]): Placement | null {
  const [, part, index, rest = ''] =
    /^efficientnet-[^/]+\/(stem|blocks_(\d{1,3})|head)\/(.+)$/.exec(name) ?? [];
  if (part === undefined) return null;
  if (index === undefined) return part === 'stem' ? inStem(rest) : inHead(rest);
  // Weights of a block that the network lacks are reported under TensorFlow's name of the block.
  return inBlock(`${blocks[Number(index)] ?? part}.`, rest);
}

const norms: Readonly<Record<string, string>> = {
  gamma: 'weight',
  beta: 'bias',
  moving_mean: 'running_mean',
  moving_variance: 'running_var',
};

function inStem(rest: string): Placement | null {
  if (rest === 'conv2d/kernel') return { name: 'conv_stem.weight', layout: 'kernel' };
  return norm('bn1', rest, 0);
}

function inHead(rest: string): Placement | null {
  if (rest === 'conv2d/kernel') return { name: 'conv_head.weight', layout: 'kernel' };
  if (rest === 'dense/kernel') return { name: 'classifier.weight', layout: 'matrix' };
  if (rest === 'dense/bias') return { name: 'classifier.bias', layout: 'vector' };
  return norm('bn2', rest, 0);
}

const excitation: Readonly<Record<string, Placement>> = {
  'se/conv2d/kernel': { name: 'se.conv_reduce.weight', layout: 'kernel' },
  'se/conv2d/bias': { name: 'se.conv_reduce.bias', layout: 'vector' },
  'se/conv2d_1/kernel': { name: 'se.conv_expand.weight', layout: 'kernel' },
  'se/conv2d_1/bias': { name: 'se.conv_expand.bias', layout: 'vector' },
};

function inBlock(prefix: string, rest: string): Placement | null {
  const simple = excitation[rest];
  if (simple !== undefined) return { ...simple, name: prefix + simple.name };
  if (rest === 'depthwise_conv2d/depthwise_kernel')
    return { name: `${prefix}conv_dw.weight`, layout: 'depthwise' };
  // timm calls the projection of a block without expansion conv_pw too.
  if (rest === 'conv2d/kernel') return { name: `${prefix}conv_pw.weight`, layout: 'kernel' };
  if (rest === 'conv2d_1/kernel') return { name: `${prefix}conv_pwl.weight`, layout: 'kernel' };
  for (const number of [0, 1, 2]) {
    const placement = norm(`${prefix}bn${number + 1}`, rest, number);
    if (placement !== null) return placement;
  }
  return null;
}

/** A variable of the batch norm with this number in its part of the network. */
function norm(name: string, rest: string, number: number): Placement | null {
  const layer = `tpu_batch_normalization${number === 0 ? '' : `_${number}`}/`;
  const kind = rest.startsWith(layer) ? norms[rest.slice(layer.length)] : undefined;
  return kind === undefined ? null : { name: `${name}.${kind}`, layout: 'vector' };
}
