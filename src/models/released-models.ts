import type { Filter } from '../tensor/resample.js';
import type { ModelName } from './architectures/names.js';
import type { ExternalDescription } from './external-description.js';
import { placeholderClassNames } from './placeholder-class-names.js';
import type { Preprocessing } from './preprocessing.js';

/**
 * The models that the authors of Smooth Adversarial Training released as checkpoints of TensorFlow: what goes with each
 * file. Source: github.com/cihangxie/SmoothAdversarialTraining, commit 988c080, its code and README; docs/released.md.
 */
export interface ReleasedModel {
  /** The name that the authors' download script takes. */
  readonly download: string;
  readonly architecture: ModelName;
  readonly activation: string;
  /** Height and width of the images. */
  readonly size: number;
  /** Which weights the authors evaluate: the variables, or their moving averages. */
  readonly entry?: 'raw' | 'ema';
  /** Accuracy in percent in the README: on clean images, and under PGD with 10, 20 and 50 steps, where it has them. */
  readonly readme: readonly number[];
}

const resnet = (
  download: string,
  readme: readonly number[],
  activation: string,
  { architecture = 'resnet50', size = 224 }: { architecture?: ModelName; size?: number } = {},
): ReleasedModel => ({ download, architecture, activation, size, readme });

const efficientnet = (
  download: string,
  clean: number,
  architecture: ModelName,
  size: number,
): ReleasedModel => ({
  download,
  architecture,
  activation: 'silu',
  size,
  // The README's commands set the decay of the averages to 0, except for the enhanced model.
  entry: download.endsWith('enhanced') ? 'ema' : 'raw',
  readme: [clean],
});

/** By their names on the command line. */
export const releasedModels = {
  'res50-relu': resnet('Res50-relu', [68.7, 35.3, 33.7, 33.1], 'relu'),
  'res50-silu': resnet('Res50-silu', [69.7, 43, 42.2, 41.9], 'silu'),
  'res50-smoothrelu': resnet('Res50-smoothrelu', [69.3, 41.3, 40.4, 40.1], 'smooth-relu'),
  'res50-gelu': resnet('Res50-gelu', [69.9, 42.6, 41.8, 41.5], 'gelu-tanh'),
  'res50-elu': resnet('Res50-elu', [69, 41.6, 40.9, 40.7], 'elu'),
  'res50-softplus': resnet('Res50-softplus', [], 'softplus'),
  'res50-mish': resnet('Res50-mish', [], 'mish'),
  'res50-silu-299': resnet('Res50-silu-299', [70.7, 44.6, 43.8, 43.6], 'silu', { size: 299 }),
  'res50-silu-380': resnet('Res50-silu-380', [71.6, 44.9, 44.1, 43.8], 'silu', { size: 380 }),
  'resx50-silu-32x4d': resnet('ResX50-silu-32x4d', [71.1, 43.3, 42.5, 42.2], 'silu', {
    architecture: 'resnext50-32x4d',
  }),
  'resx50-silu-32x8d': resnet('ResX50-silu-32x8d', [73.3, 46.3, 45.2, 44.8], 'silu', {
    architecture: 'resnext50-32x8d',
  }),
  'res101-silu': resnet('Res101-silu', [72.9, 46.4, 45.5, 45.2], 'silu', { architecture: 'resnet101' }),
  'res152-silu': resnet('Res152-silu', [74, 47.3, 46.2, 45.8], 'silu', { architecture: 'resnet152' }),
  'resx152-silu-380-32x8d': resnet('ResX152-silu-380-32x8d', [78, 53, 51.7, 51], 'silu', {
    architecture: 'resnext152-32x8d',
    size: 380,
  }),
  'efficientnet-b0': efficientnet('efficientnet-b0', 65.2, 'efficientnet-b0', 224),
  'efficientnet-b1': efficientnet('efficientnet-b1', 68.6, 'efficientnet-b1', 240),
  'efficientnet-b2': efficientnet('efficientnet-b2', 70.3, 'efficientnet-b2', 260),
  'efficientnet-b3': efficientnet('efficientnet-b3', 73.1, 'efficientnet-b3', 300),
  'efficientnet-b4': efficientnet('efficientnet-b4', 75.9, 'efficientnet-b4', 380),
  'efficientnet-b5': efficientnet('efficientnet-b5', 77.8, 'efficientnet-b5', 456),
  'efficientnet-b6': efficientnet('efficientnet-b6', 79.2, 'efficientnet-b6', 528),
  'efficientnet-b7': efficientnet('efficientnet-b7', 79.8, 'efficientnet-b7', 600),
  'efficientnet-l1': efficientnet('efficientnet-bL1', 80.7, 'efficientnet-l1', 600),
  'efficientnet-l1-enhanced': efficientnet('efficientnet-bL1-enhanced', 82.2, 'efficientnet-l1', 600),
} as const satisfies Record<string, ReleasedModel>;

export type ReleasedName = keyof typeof releasedModels;

export const releasedNames = Object.keys(releasedModels) as readonly ReleasedName[];

/** The authors' evaluation resizes the shorter side to the size + 32. */
const margin = 32;

/** That of the ResNets' loader. The EfficientNets' is the same cubic on TensorFlow 1's grid, half a pixel off. */
const filter: Filter = 'opencv-cubic';

/** All of them take pixels in [-1, 1]. */
export const releasedPreprocessing: Preprocessing = { range: [-1, 1], normalise: null };

/** The description of a released model, for its checkpoint. */
export function releasedDescription(name: ReleasedName): ExternalDescription {
  const { architecture, activation, size } = releasedModels[name];
  return {
    architecture,
    width: 1,
    activation,
    classes: placeholderClassNames(1000),
    shape: [3, size, size],
    padding: 'same',
    transform: {
      resize: size + margin,
      filter,
      centre: architecture.startsWith('efficientnet') ? 'tpu' : 'tensorpack',
    },
  };
}
