/**
 * The recipes of ImageNet and CIFAR are what their headers cite: every fact here was read in the file that stands beside it,
 * at the commit that the header names, and the header names that file.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { loadRecipe, recipeNames } from '../../src/recipe/load-recipe.js';

/** Where a fact was read, and values of the resolved recipe. */
type Facts = readonly (readonly [source: string, values: Readonly<Record<string, unknown>>])[];

const sgd = { name: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 1e-4, weightDecayOn: 'weights' };
const heavyBall = { ...sgd, nesterov: false, weightDecay: 5e-4, weightDecayOn: 'all' };
/** Pixels in [-1, 1]. */
const centred = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
const ofCifar = { mean: [0.4914, 0.4822, 0.4465], std: [0.2471, 0.2435, 0.2616] };
const crops = { 'data.augment.scale': [0.08, 1], 'data.augment.flip': true };

const satTraining: Facts = [
  [
    'ResNet/main.py',
    {
      'training.attack.cleanStart': 0.2,
      'training.epochs': 100,
      'training.schedule': {
        name: 'step',
        learningRate: 0.4,
        warmup: 5,
        warmupFrom: 0.1,
        milestones: [30, 60, 90],
        factor: 0.1,
      },
    },
  ],
  [
    'ResNet/adv_model.py',
    {
      'model.normalise': centred,
      'training.objective': 'sat',
      'training.attack.batchNorm': 'eval',
      'training.attack.clipStart': false,
      'training.labelSmoothing': 0.1,
    },
  ],
  [
    'script/advres.sh',
    { 'training.attack.steps': 1, 'training.attack.stepSize': 4 / 255, 'threat.epsilonText': '4/255' },
  ],
  ['ResNet/third_party/imagenet_utils.py', { 'training.optimizer': sgd }],
  ['ResNet/slurm/train.sh', { 'training.batch': 1024, 'training.batchNorm': { ghost: 32 } }],
];

const resnet = (model: string, size = 224, activation = 'silu'): Facts => [
  [
    'README.md',
    { 'model.name': model, 'model.activation': activation, 'data.size': size, 'training.ema': null },
  ],
  [
    'ResNet/third_party/imagenet_utils.py',
    {
      ...crops,
      'data.filter': 'opencv-cubic',
      'data.resize': null, // size + 32
      'data.augment.brightness': 0.4,
      'data.augment.contrast': 0.4,
      'data.augment.saturation': 0.4,
      'data.augment.lighting': 0.1,
      'data.augment.colours': 'tensorpack',
    },
  ],
  ...satTraining,
];

const efficientnet = (variant: string, size: number, ema: object | null = null): Facts => [
  ['README.md', { 'training.ema': ema }],
  [
    'EfficientNet/preprocessing.py',
    {
      ...crops,
      'data.filter': 'opencv-cubic',
      'data.augment.brightness': 0,
      'data.augment.contrast': 0,
      'data.augment.saturation': 0,
      'data.augment.lighting': 0,
    },
  ],
  [
    'EfficientNet/efficientnet_builder.py',
    { 'model.name': `efficientnet-${variant}`, 'model.dropout': null, 'data.size': size },
  ],
  ['EfficientNet/main.py', { 'model.normalise': centred, 'training.labelSmoothing': 0.1 }],
  // Theirs is UNKNOWN: what the header says is that of ResNet-50.
  ...satTraining.map(([, values]) => ['imagenet-resnet50-silu', values] as const),
];

const steps = (milestones: readonly number[]) => ({
  name: 'step',
  learningRate: 0.1,
  warmup: 0,
  warmupFrom: 0,
  milestones,
  factor: 0.1,
});
const pgd10 = {
  'threat.epsilonText': '8/255',
  'training.attack.steps': 10,
  'training.attack.stepSize': 2 / 255,
};
const augmented = { 'data.augment': { flip: true, crop: 4 } };

const pang: Facts = [
  ['utils.py', { 'model.normalise': ofCifar }],
  [
    'train_cifar.py',
    {
      ...augmented,
      ...pgd10,
      'training.objective': 'pgd',
      'training.attack.randomStart': true,
      'training.optimizer': heavyBall,
    },
  ],
  [
    'README.md',
    {
      'training.attack.batchNorm': 'eval',
      'training.epochs': 110,
      'training.batch': 128,
      'training.schedule': steps([100, 105]),
    },
  ],
];

const trades: Facts = [
  [
    'train_trades_cifar10.py',
    {
      ...augmented,
      'model.normalise': 'none',
      'training.attack.steps': 10,
      'training.beta': 6,
      'training.batch': 128,
      'training.optimizer.momentum': 0.9,
      'training.optimizer.nesterov': false,
      'training.optimizer.weightDecayOn': 'all',
    },
  ],
  ['trades.py', { 'training.objective': 'trades', 'training.attack.batchNorm': 'eval' }],
  [
    'README.md',
    {
      'threat.epsilonText': '8/255',
      'training.optimizer.weightDecay': 5e-4,
      'training.epochs': 110,
      'training.schedule': steps([100, 105]),
    },
  ],
  ['trades_AWP/train_trades_cifar.py', { 'training.attack.stepSize': 2 / 255, 'training.awp': null }],
];

const facts: Readonly<Record<string, Facts>> = {
  'imagenet-resnet50-relu': resnet('resnet50', 224, 'relu'),
  'imagenet-resnet50-silu': resnet('resnet50'),
  'imagenet-resnet50-silu-299': resnet('resnet50', 299),
  'imagenet-resnet50-silu-380': resnet('resnet50', 380),
  'imagenet-resnet101-silu': resnet('resnet101'),
  'imagenet-resnet152-silu': resnet('resnet152'),
  'imagenet-resnext50-32x4d-silu': resnet('resnext50-32x4d'),
  'imagenet-resnext50-32x8d-silu': resnet('resnext50-32x8d'),
  'imagenet-resnext152-32x8d-silu-380': resnet('resnext152-32x8d', 380),
  'imagenet-efficientnet-b0': efficientnet('b0', 224),
  'imagenet-efficientnet-b1': efficientnet('b1', 240),
  'imagenet-efficientnet-b2': efficientnet('b2', 260),
  'imagenet-efficientnet-b3': efficientnet('b3', 300),
  'imagenet-efficientnet-b4': efficientnet('b4', 380),
  'imagenet-efficientnet-b5': efficientnet('b5', 456),
  'imagenet-efficientnet-b6': efficientnet('b6', 528),
  'imagenet-efficientnet-b7': efficientnet('b7', 600),
  'imagenet-efficientnet-l1': efficientnet('l1', 600),
  'imagenet-efficientnet-l1-enhanced': [
    ...efficientnet('l1', 600, { decay: 0.9999, warmup: true, batchNorm: 'average' }),
    ['EfficientNet/utils.py', { 'training.ema.batchNorm': 'average' }],
  ],
  'imagenet-light': [
    [
      'configs/xcit-adv-training.yaml',
      {
        ...crops,
        'data.filter': 'bicubic',
        'data.augment.brightness': 0.4,
        'data.augment.contrast': 0.4,
        'data.augment.saturation': 0.4,
        'data.augment.lighting': 0,
        'model.normalise': 'none',
        'threat.epsilonText': '4/255',
        'training.attack.steps': 1,
        'training.attack.epsilonWarmup': 10,
        'training.labelSmoothing': 0.1,
        'training.optimizer.name': 'adamw',
        'training.optimizer.weightDecay': 0.5,
        'training.epochs': 100,
        'training.batch': 512,
        'training.batchNorm': { ghost: 64 },
        'training.schedule': {
          name: 'cosine',
          learningRate: 5e-4,
          warmup: 10,
          warmupFrom: 1e-6,
          final: 1e-5,
        },
      },
    ],
    ['src/setup_task.py', { 'training.attack.stepSize': 6 / 255 }],
    ['src/attacks.py', { 'training.attack.randomStart': true }],
  ],
  'cifar10-preact-resnet18-rice': [
    ['preactresnet.py', { 'model.name': 'preact-resnet18', 'model.activation': 'relu' }],
    ['utils.py', { 'model.normalise': ofCifar }],
    ['generate_validation.py', { 'data.validation': 1000 }],
    [
      'train_cifar.py',
      {
        ...augmented,
        ...pgd10,
        'training.objective': 'pgd',
        'training.attack.randomStart': true,
        'training.attack.batchNorm': 'train',
        'training.optimizer': heavyBall,
        'training.epochs': 200,
        'training.batch': 128,
        'training.schedule': steps([100, 150]),
      },
    ],
  ],
  'cifar10-resnet18-pang': [
    ['models/resnet.py', { 'model.name': 'resnet18', 'model.activation': 'relu' }],
    ...pang,
  ],
  'cifar10-wideresnet28-10': pang,
  'cifar10-resnet18-trades': trades,
  'cifar10-wideresnet28-10-trades': trades,
  'cifar10-wideresnet34-10-trades-awp': [
    ['trades_AWP/models/wideresnet.py', { 'model.name': 'wideresnet34-10', 'model.activation': 'relu' }],
    [
      'trades_AWP/train_trades_cifar.py',
      {
        ...augmented,
        ...pgd10,
        'model.normalise': 'none',
        'training.objective': 'trades',
        'training.attack.batchNorm': 'eval',
        'training.beta': 6,
        'training.awp': { gamma: 0.005, warmup: 10 },
        'training.optimizer': heavyBall,
        'training.epochs': 200,
        'training.batch': 128,
        'training.schedule': steps([100, 150]),
      },
    ],
  ],
  'cifar10-fast': [
    ['CIFAR10/preact_resnet.py', { 'model.name': 'preact-resnet18' }],
    ['CIFAR10/utils.py', { ...augmented, 'model.normalise': ofCifar }],
    [
      'CIFAR10/train_fgsm.py',
      {
        'threat.epsilonText': '8/255',
        'training.objective': 'fast',
        'training.attack.stepSize': 10 / 255,
        'training.attack.batchNorm': 'train',
        'training.batch': 128,
        'training.optimizer': heavyBall,
        'training.schedule': { name: 'one-cycle', learningRate: 0.2, warmup: 15, warmupFrom: 0, final: 0 },
      },
    ],
    ['tml-epfl/understanding-fast-adv-training', { 'training.epochs': 30 }],
  ],
};

/** Networks of the quickstart, which are Satin's own and cite nobody. */
const own = ['cifar10-relu', 'cifar10-silu'];

const headerOf = (name: string) =>
  /^(?:#.*\n)*/.exec(readFileSync(new URL(`../../../recipes/${name}.yaml`, import.meta.url), 'utf8'))![0];
const at = (recipe: unknown, path: string) =>
  path.split('.').reduce((section, key) => (section as Readonly<Record<string, unknown>>)[key], recipe);

describe('a recipe that cites others', () => {
  it('is one of this table, and the table has no other', () => {
    const names = recipeNames().filter((name) => !name.startsWith('fashion-mnist-') && !own.includes(name));
    assert.deepEqual(Object.keys(facts).sort(), names);
  });

  for (const [name, rows] of Object.entries(facts))
    it(`is what it cites: ${name}`, () => {
      const [recipe, header] = [loadRecipe(name), headerOf(name)];
      for (const [source, values] of rows) {
        assert.ok(header.includes(source), `${name} names ${source}`);
        for (const [path, value] of Object.entries(values))
          assert.deepEqual(at(recipe, path), value, `${path} of ${source}`);
      }
    });

  it('names the repositories with the commits at which they were read, and says what is its own choice', () => {
    for (const name of Object.keys(facts)) {
      const header = headerOf(name).replaceAll('\n# ', ' ');
      assert.match(header, / Settings, by file of .*[\w-]+\/[\w-]+ at [0-9a-f]{7}\b/, name);
      assert.match(header, / Choices here: /, name);
      assert.match(header, / Expected: /, name);
    }
  });
});
