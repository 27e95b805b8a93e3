import type { ModelName } from '../../src/models/architectures/names.js';

/** Those that a test can make at their whole width and train in a moment. */
export const smallNetworks = [
  'resnet8',
  'resnet20',
  'resnet32',
  'resnet56',
  'resnet18',
  'preact-resnet18',
] as const satisfies readonly ModelName[];
