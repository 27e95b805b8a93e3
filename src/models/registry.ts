import type { Architecture, ArchitectureOptions } from './architecture.js';
import type { ModelName } from './names.js';
import { PreActResNet18 } from './preact-resnet.js';
import { cifarShape, ResNet, resnet18Shape } from './resnet.js';

/** How each model of `names.ts` is made. */
export const architectures: Readonly<Record<ModelName, (options: ArchitectureOptions) => Architecture>> = {
  resnet8: (options) => new ResNet(cifarShape(8), options),
  resnet20: (options) => new ResNet(cifarShape(20), options),
  resnet32: (options) => new ResNet(cifarShape(32), options),
  resnet56: (options) => new ResNet(cifarShape(56), options),
  resnet18: (options) => new ResNet(resnet18Shape, options),
  'preact-resnet18': (options) => new PreActResNet18(options),
};
