/** Every training objective against PyTorch's (test/golden/objectives.json), in float64: one step, and ten. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseActivation } from '../../../src/activations/parse.js';
import { norms } from '../../../src/attacks/norms.js';
import type { Batch } from '../../../src/data/dataset-tensors.js';
import { memoryInfo, setThreads } from '../../../src/engine/engine-info.js';
import type { ModelDescription } from '../../../src/models/description.js';
import { Model } from '../../../src/models/model.js';
import { integers, tensor } from '../../../src/tensor/create.js';
import { noGrad } from '../../../src/tensor/gradient.js';
import { scope } from '../../../src/tensor/scope.js';
import { adversarial } from '../../../src/training/objectives/adversarial.js';
import type { AwpOptions } from '../../../src/training/objectives/awp.js';
import type { ClassWeights } from '../../../src/training/objectives/class-weights.js';
import { free } from '../../../src/training/objectives/free.js';
import type { GradAlignOptions } from '../../../src/training/objectives/grad-align.js';
import { gradientNorm } from '../../../src/training/objectives/gradient-norm.js';
import { mart } from '../../../src/training/objectives/mart.js';
import {
  adversarialCrossEntropy,
  clean,
  type Objective,
  type TrainingLoss,
  trainingPass,
} from '../../../src/training/objectives/objective.js';
import { trades } from '../../../src/training/objectives/trades.js';
import type { TrainingAttack } from '../../../src/training/objectives/training-attack.js';
import { Sgd } from '../../../src/training/optimizers/sgd.js';
import { assertClose, type Tolerance } from '../../support/close.js';
import { fromGolden, type GoldenTensor, readGolden } from '../../support/golden.js';

setThreads(1);

type Named = Readonly<Record<string, GoldenTensor>>;

interface Case {
  readonly name: string;
  readonly objective: 'clean' | 'adversarial' | 'free' | 'gradientNorm';
  readonly norm?: 'linf' | 'l2';
  readonly crossEntropy?: number;
  readonly penalty?: number;
  readonly warmup?: number;
  readonly activation?: string;
  readonly derivative?: string;
  readonly attack?: Omit<TrainingAttack, 'norm' | 'derivative'> & { readonly derivative?: string };
  readonly loss?: {
    readonly name: 'ce' | 'trades' | 'mart';
    readonly beta?: number;
    readonly labelSmoothing?: number;
  };
  readonly awp?: AwpOptions;
  readonly gradAlign?: GradAlignOptions;
  readonly classWeights?: readonly number[];
  readonly replays?: number;
  readonly epsilon?: number;
  readonly stepSize?: number;
  readonly labelSmoothing?: number;
  readonly losses: readonly number[];
  readonly lossOfTheAuthors?: number;
  readonly gradients: Named;
  readonly final: Named;
}

const golden = readGolden<{
  seed: number;
  stepsPerPass: number;
  batch: number;
  optimizer: { learningRate: number; momentum: number; nesterov: boolean; weightDecay: number };
  images: GoldenTensor;
  labels: readonly number[];
  initial: Named;
  cases: readonly Case[];
}>('objectives');

/** Of the largest number of a tensor: rounding passes through nine layers, ten steps and their feedback. */
const near = 1e-10;

function assertAll(actual: ReadonlyMap<string, ArrayLike<number>>, expected: Named, what: string): void {
  assert.deepEqual([...actual.keys()], Object.keys(expected));
  for (const [name, numbers] of actual) {
    const { values } = expected[name]!;
    const tolerance: Tolerance = { relative: 0, absolute: near * Math.max(...values.map(Math.abs)) };
    assertClose(numbers, values, tolerance, `${what} ${name}`);
  }
}

function lossOf({ loss }: Case): TrainingLoss {
  const { name = 'ce', beta = 0, labelSmoothing = 0 } = loss ?? {};
  if (name === 'trades') return trades({ beta, labelSmoothing });
  return name === 'mart' ? mart({ beta }) : adversarialCrossEntropy(labelSmoothing);
}

function objectiveOf(chosen: Case): Objective {
  const { objective, derivative, attack, awp, gradAlign, labelSmoothing = 0, replays = 1 } = chosen;
  const pass = {
    ...trainingPass,
    ...(derivative !== undefined && { derivative: parseActivation(derivative) }),
  };
  if (objective === 'clean') return clean({ labelSmoothing: chosen.loss?.labelSmoothing ?? 0, pass });
  if (objective === 'free') {
    const { epsilon = 0, stepSize = 0 } = chosen;
    return free({ norm: norms.linf, epsilon, stepSize, replays, labelSmoothing, pass, epsilonWarmup: 0 });
  }
  if (objective === 'gradientNorm') {
    const { norm = 'linf', epsilon = 0, crossEntropy = 0, penalty = 0, warmup = 0 } = chosen;
    return gradientNorm({ norm, epsilon, crossEntropy, penalty, warmup, labelSmoothing, pass });
  }
  const { derivative: inAttack, ...rest } = attack!;
  return adversarial({
    attack: {
      ...rest,
      norm: norms.linf,
      ...(inAttack !== undefined && { derivative: parseActivation(inAttack) }),
    },
    loss: lossOf(chosen),
    pass,
    ...(awp && { awp }),
    ...(gradAlign && { gradAlign }),
  });
}

function create(activation = 'silu'): Model {
  const description: ModelDescription = {
    architecture: 'resnet8',
    width: 1 / 16,
    activation,
    classes: ['a', 'b', 'c', 'd'],
    shape: [2, 8, 8],
    normalise: null,
  };
  const model = scope(() => Model.create(description, { seed: 0, dtype: 'float64' }));
  const parameters = model.network.parameters();
  assert.deepEqual([...parameters.keys()], Object.keys(golden.initial));
  noGrad(() =>
    scope(() => {
      for (const [name, parameter] of parameters)
        parameter.copy_(fromGolden(golden.initial[name]!, 'float64'));
    }),
  );
  return model;
}

function batchAt(which: number): Batch {
  const first = which * golden.batch;
  const ids = Array.from({ length: golden.batch }, (_, row) => first + row);
  const x = fromGolden(golden.images, 'float64').narrow(0, first, golden.batch);
  return { x, labels: integers(ids.map((id) => golden.labels[id]!)), ids };
}

/** The class weights of a batch that is the whole one. */
function weightsIn({ labels }: Batch, ofClass: readonly number[]): ClassWeights {
  const own = Array.from(labels.numbers(), (label) => ofClass[label]!);
  const mean = own.reduce((sum, each) => sum + each) / own.length;
  return { ofClass: tensor(Float64Array.from(ofClass), [ofClass.length]), mean };
}

/** Trains as the golden values were made, and shows each step's loss and gradients. */
function train(chosen: Case, see: (step: number, loss: number, gradients: Float64Array[]) => void): Model {
  const model = create(chosen.activation);
  using objective = objectiveOf(chosen);
  const { learningRate, ...options } = golden.optimizer;
  using optimizer = new Sgd(model.network.parameters(), options);
  const { replays } = objective;
  const stepsPerEpoch = golden.stepsPerPass * replays;
  for (const step of chosen.losses.keys())
    scope(() => {
      const batch = batchAt(Math.floor(step / replays) % golden.stepsPerPass);
      const epoch = 1 + Math.floor(step / stepsPerEpoch);
      const place = {
        ...{ seed: golden.seed, epoch, step, stepsPerEpoch, part: 0, first: 0 },
        ...(chosen.classWeights !== undefined && { classWeights: weightsIn(batch, chosen.classWeights) }),
      };
      const learned = objective.computeGradients(model, batch, place);
      see(
        step,
        learned.loss.item(),
        learned.gradients.map((each) => each.numbers()),
      );
      optimizer.step(learned.gradients, learningRate);
      learned.restore?.();
    });
  return model;
}

describe('training goes PyTorch’s way', () => {
  for (const chosen of golden.cases)
    it(`${chosen.name}: loss and gradients of the first step, ten losses, weights and statistics after them`, () => {
      const before = memoryInfo().liveTensors;
      {
        using model = train(chosen, (step, loss, gradients) => {
          assertClose(
            [loss],
            [chosen.losses[step]!],
            { relative: near, absolute: 0 },
            `loss of step ${step}`,
          );
          if (step > 0) return;
          const names = Object.keys(golden.initial);
          const named = new Map(names.map((name, place) => [name, gradients[place]!]));
          assertAll(named, chosen.gradients, 'gradient of');
        });
        const floating = [...model.network.state()].filter(([, each]) => each.dtype === 'float64');
        assertAll(new Map(floating.map(([name, each]) => [name, each.numbers()])), chosen.final, 'final');
      }
      assert.equal(memoryInfo().liveTensors, before);
    });

  it('with MART, whose authors’ own code is 1e-9 away at most', () => {
    const { losses, lossOfTheAuthors } = golden.cases.find(({ name }) => name === 'MART')!;
    assert.ok(Math.abs(losses[0]! - lossOfTheAuthors!) < 1e-9);
  });

  it('in cases that differ: no two give the same gradients, weights or statistics', () => {
    // The first step takes the same branch of the draw, or learns from clean images yet.
    const same = new Map([
      ['SAT from either', 'SAT from noise'],
      ['Free', 'clean, label smoothing'],
      ['Free, class weights', 'clean, class weights, label smoothing'],
    ]);
    const seen = new Map<string, string>();
    for (const { name, gradients, final } of golden.cases) {
      for (const values of [gradients, final]) {
        const text = JSON.stringify(values);
        const twin = seen.get(text);
        assert.ok(twin === undefined || same.get(name) === twin, `${name} is ${twin}`);
        seen.set(text, name);
      }
    }
    assert.ok(seen.size >= 2 * golden.cases.length - same.size);
  });
});
