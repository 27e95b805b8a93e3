import type { Architecture, ArchitectureOptions } from './architecture.js';
import { EfficientNet } from './efficientnet.js';
import { ImageNetResNet, type ImageNetResNetShape } from './imagenet-resnet.js';
import type { ModelName } from './names.js';
import { PreActResNet18 } from './preact-resnet.js';
import { cifarShape, ResNet, resnet18Shape } from './resnet.js';
import { WideResNet } from './wide-resnet.js';

type Make = (options: ArchitectureOptions) => Architecture;

const wide =
  (depth: number, widen: number): Make =>
  (options) =>
    new WideResNet({ depth, widen }, options);

const basic =
  (...blocks: readonly number[]): Make =>
  (options) =>
    new ImageNetResNet({ blocks }, options);

const bottlenecks =
  (blocks: readonly number[], bottleneck: ImageNetResNetShape['bottleneck']): Make =>
  (options) =>
    new ImageNetResNet({ blocks, ...(bottleneck && { bottleneck }) }, options);

const efficient =
  (width: number, depth: number): Make =>
  (options) =>
    new EfficientNet({ width, depth }, options);

const ungrouped = { groups: 1, groupWidth: 64 };

/** The constructor of each model in `names.ts`. */
export const architectures: Readonly<Record<ModelName, Make>> = {
  resnet8: (options) => new ResNet(cifarShape(8), options),
  resnet20: (options) => new ResNet(cifarShape(20), options),
  resnet32: (options) => new ResNet(cifarShape(32), options),
  resnet56: (options) => new ResNet(cifarShape(56), options),
  resnet18: (options) => new ResNet(resnet18Shape, options),
  'preact-resnet18': (options) => new PreActResNet18(options),
  'wideresnet28-10': wide(28, 10),
  'wideresnet34-10': wide(34, 10),
  'wideresnet34-20': wide(34, 20),
  'wideresnet70-16': wide(70, 16),
  'resnet18-imagenet': basic(2, 2, 2, 2),
  resnet34: basic(3, 4, 6, 3),
  resnet50: bottlenecks([3, 4, 6, 3], ungrouped),
  resnet101: bottlenecks([3, 4, 23, 3], ungrouped),
  resnet152: bottlenecks([3, 8, 36, 3], ungrouped),
  'resnext50-32x4d': bottlenecks([3, 4, 6, 3], { groups: 32, groupWidth: 4 }),
  'resnext50-32x8d': bottlenecks([3, 4, 6, 3], { groups: 32, groupWidth: 8 }),
  'resnext152-32x8d': bottlenecks([3, 8, 36, 3], { groups: 32, groupWidth: 8 }),
  'efficientnet-b0': efficient(1, 1),
  'efficientnet-b1': efficient(1, 1.1),
  'efficientnet-b2': efficient(1.1, 1.2),
  'efficientnet-b3': efficient(1.2, 1.4),
  'efficientnet-b4': efficient(1.4, 1.8),
  'efficientnet-b5': efficient(1.6, 2.2),
  'efficientnet-b6': efficient(1.8, 2.6),
  'efficientnet-b7': efficient(2, 3.1),
  'efficientnet-l1': efficient(3.9, 3.7),
  'efficientnet-l2': efficient(4.3, 5.3),
};
