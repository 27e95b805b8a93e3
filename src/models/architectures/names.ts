import type { DropRates } from '../../nn/dropout.js';
import { unknownName } from '../../user-input/did-you-mean.js';

/**
 * Model names in recipes. Separate from `registry.ts`, which builds them, so that validating a recipe need not load it.
 */
const smallImageModels = [
  'resnet8',
  'resnet20',
  'resnet32',
  'resnet56',
  'resnet18',
  'preact-resnet18',
] as const;

/** They support TensorFlow's `SAME` padding: wide residual networks as DeepMind's, and those for large images. */
const samePaddedModels = [
  'wideresnet28-10',
  'wideresnet34-10',
  'wideresnet34-20',
  'wideresnet70-16',
  'resnet18-imagenet',
  'resnet34',
  'resnet50',
  'resnet101',
  'resnet152',
  'resnext50-32x4d',
  'resnext50-32x8d',
  'resnext152-32x8d',
  'efficientnet-b0',
  'efficientnet-b1',
  'efficientnet-b2',
  'efficientnet-b3',
  'efficientnet-b4',
  'efficientnet-b5',
  'efficientnet-b6',
  'efficientnet-b7',
  'efficientnet-l1',
  'efficientnet-l2',
] as const;

export const modelNames = [...smallImageModels, ...samePaddedModels] as const;

export type ModelName = (typeof modelNames)[number];

/** @throws {InputError} for a name that no architecture has. */
export function requireArchitecture(name: string): void {
  if (!(modelNames as readonly string[]).includes(name))
    throw unknownName({
      kind: 'an architecture',
      name: 'description.architecture',
      received: name,
      known: modelNames,
    });
}

/** Whether a model can be padded as TensorFlow's `SAME`. */
export function supportsSamePadding(name: ModelName): boolean {
  return (samePaddedModels as readonly ModelName[]).includes(name);
}

/**
 * Published dropout and stochastic depth rates (Tan and Le, 2019; L1: the smooth adversarial training paper; L2: Xie et
 * al., 2020); null for models without dropout.
 */
export function publishedDropRates(name: ModelName): DropRates | null {
  const variant = /^efficientnet-(\w\d)$/.exec(name)?.[1];
  if (variant === undefined) return null;
  const dropout = { b0: 0.2, b1: 0.2, b2: 0.3, b3: 0.3, b4: 0.4, b5: 0.4 }[variant] ?? 0.5;
  return { dropout, stochasticDepth: 0.2 };
}
