import type { DropRates } from '../../nn/dropout.js';

/** The models that recipes name; `registry.ts` makes them. Apart from it, so that a recipe is checked without them. */
export const modelNames = [
  // for small images
  'resnet8',
  'resnet20',
  'resnet32',
  'resnet56',
  'resnet18',
  'preact-resnet18',
  'wideresnet28-10',
  'wideresnet34-10',
  'wideresnet34-20',
  'wideresnet70-16',
  // for large ones
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

export type ModelName = (typeof modelNames)[number];

/**
 * What a model leaves out in training as it was published (Tan and Le, 2019; L1: the paper of smooth adversarial training;
 * L2: Xie et al., 2020); null where it can leave out nothing.
 */
export function publishedDropRates(name: ModelName): DropRates | null {
  const variant = /^efficientnet-(\w\d)$/.exec(name)?.[1];
  if (variant === undefined) return null;
  const dropout = { b0: 0.2, b1: 0.2, b2: 0.3, b3: 0.3, b4: 0.4, b5: 0.4 }[variant] ?? 0.5;
  return { dropout, stochasticDepth: 0.2 };
}
