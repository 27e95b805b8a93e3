import { norms } from '../../src/attacks/norms.js';
import type { Batch } from '../../src/data/dataset-tensors.js';
import { Model } from '../../src/models/model.js';
import { integers, tensor, zerosLike } from '../../src/tensor/create.js';
import { noGrad } from '../../src/tensor/gradient.js';
import { noise } from '../../src/tensor/noise.js';
import { scope } from '../../src/tensor/scope.js';
import type { Dtype, Tensor } from '../../src/tensor/tensor.js';
import { adversarial } from '../../src/training/objectives/adversarial.js';
import { free } from '../../src/training/objectives/free.js';
import { gradientNorm } from '../../src/training/objectives/gradient-norm.js';
import { mart } from '../../src/training/objectives/mart.js';
import {
  adversarialCrossEntropy,
  clean,
  type GradientResult,
  type Objective,
  type StepContext,
  trainingPass,
} from '../../src/training/objectives/objective.js';
import { trades } from '../../src/training/objectives/trades.js';
import type { TrainingAttack } from '../../src/training/objectives/training-attack.js';

/** The first step of a run of five steps an epoch. */
export const firstPlace: StepContext = { seed: 3, epoch: 1, step: 0, stepsPerEpoch: 5, part: 0, first: 0 };

export const epsilon = 0.02;
export const pgd: TrainingAttack = {
  norm: norms.linf,
  epsilon,
  steps: 2,
  stepSize: 0.015,
  start: { kind: 'uniform' },
  batchNorm: 'eval',
};
const near: TrainingAttack = { ...pgd, start: { kind: 'normal', deviation: 0.001 } };
const sat: TrainingAttack = {
  ...pgd,
  steps: 1,
  stepSize: epsilon,
  start: { kind: 'sat', clean: 0.2, clip: false },
};

export const freeOptions = {
  norm: norms.linf,
  epsilon,
  stepSize: epsilon,
  replays: 2,
  labelSmoothing: 0.1,
  pass: trainingPass,
  epsilonWarmup: 0,
};

/** Every objective and every option that changes what is computed. */
export const objectives: Readonly<Record<string, () => Objective>> = {
  clean: () => clean(),
  'clean, label smoothing': () => clean({ labelSmoothing: 0.1 }),
  'PGD-2': () => adversarial({ attack: pgd }),
  'PGD-2, batch norm of the batch in the attack': () =>
    adversarial({ attack: { ...pgd, batchNorm: 'train' } }),
  SAT: () => adversarial({ attack: sat, loss: adversarialCrossEntropy(0.1) }),
  TRADES: () =>
    adversarial({ attack: { ...near, loss: 'kl' }, loss: trades({ beta: 6, labelSmoothing: 0.1 }) }),
  MART: () => adversarial({ attack: near, loss: mart({ beta: 5 }) }),
  Free: () => free(freeOptions),
  'gradient norm': () => gradientNorm({ norm: 'linf', epsilon, crossEntropy: 1, penalty: 0.2, warmup: 0 }),
  'gradient norm, L2': () =>
    gradientNorm({ norm: 'l2', epsilon: 0.1, crossEntropy: 1, penalty: 0.2, warmup: 0 }),
  'PGD-2 with AWP': () => adversarial({ attack: pgd, awp: { gamma: 0.01, warmup: 0 } }),
  'PGD-2 with GradAlign': () => adversarial({ attack: pgd, gradAlign: { weight: 0.2 } }),
};

/** Images of 2x8x8 pixels and the labels 0 to 3, the same at every call; some pixels are 0 or 1. */
export function randomBatch(dtype: Dtype, count = 6): Batch {
  return scope(() => {
    const ids = Array.from({ length: count }, (_, id) => id);
    const draw = noise('uniform', {
      key: { seed: 4, stream: 'bench' },
      ids,
      shape: [2, 8, 8],
      dtype: 'float64',
    });
    return {
      x: draw.mul(1.2).sub(0.1).clamp(0, 1).to(dtype),
      labels: integers(ids.map((id) => id % 4)),
      ids,
    };
  });
}

/** A ResNet-8 of one, two and four channels; no parameter is 0, and all dtypes have the same. */
export function tinyModel(dtype: Dtype, activation = 'silu'): Model {
  return scope(() => {
    const model = Model.create(
      {
        architecture: 'resnet8',
        width: 1 / 16,
        activation,
        classes: ['a', 'b', 'c', 'd'],
        shape: [2, 8, 8],
        normalise: null,
      },
      { seed: 0, dtype },
    );
    noGrad(() => {
      for (const [place, [name, parameter]] of [...model.network.parameters()].entries()) {
        const { size, shape } = parameter;
        const key = { seed: 6, stream: 'bench' } as const;
        const draw = noise('normal', { key, ids: [place], shape: [size], dtype: 'float64' }).reshape(shape);
        parameter.copy_(/bn\d\.weight$/.test(name) ? draw.mul(0.2).add(1) : draw.mul(0.5));
      }
    });
    return model;
  });
}

/** Gradients of 0, and a loss and an accuracy as given: an objective that learns nothing. */
export function learnedNothing(
  model: Model,
  { loss = 1, accuracy = 0 }: { readonly loss?: number; readonly accuracy?: number } = {},
): GradientResult {
  return {
    gradients: [...model.network.parameters().values()].map(zerosLike),
    loss: scalar(loss),
    accuracy: scalar(accuracy),
  };
}

export function scalar(value: number): Tensor {
  return tensor(Float64Array.of(value), []);
}

/** Every number of parameters and buffers, by name. */
export function numbersOf(tensors: ReadonlyMap<string, Tensor>): Map<string, Float64Array> {
  return new Map([...tensors].map(([name, each]) => [name, each.numbers()]));
}
