/** Training losses against central differences, where float32 ends, and in a run. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DatasetTensors } from '../../../src/data/dataset-tensors.js';
import { memoryInfo, setThreads } from '../../../src/engine/engine-info.js';
import type { Model } from '../../../src/models/model.js';
import { tensor } from '../../../src/tensor/create.js';
import { gradients, noGrad } from '../../../src/tensor/gradient.js';
import { scope } from '../../../src/tensor/scope.js';
import type { Dtype } from '../../../src/tensor/tensor.js';
import { adversarial } from '../../../src/training/objectives/adversarial.js';
import { free } from '../../../src/training/objectives/free.js';
import { gradientNorm } from '../../../src/training/objectives/gradient-norm.js';
import { mart } from '../../../src/training/objectives/mart.js';
import { clean, type Objective, type TrainingLoss } from '../../../src/training/objectives/objective.js';
import { trades } from '../../../src/training/objectives/trades.js';
import { Sgd } from '../../../src/training/optimizers/sgd.js';
import { blobs, smallModel } from '../../support/blobs.js';
import { assertClose } from '../../support/close.js';
import {
  firstPlace,
  freeOptions,
  objectives,
  pgd,
  randomBatch,
  tinyModel,
} from '../../support/objectives.js';

setThreads(1);

describe('the gradient of every parameter equals central differences of the loss', () => {
  // An attack of no steps leaves its start, which no weight moves: the images are held fixed.
  const attack = { ...pgd, steps: 0 };
  const gradAlign = { weight: 0.5, detach: false };
  const fixed: Readonly<Record<string, () => Objective>> = {
    clean: () => clean(),
    'label smoothing': () => clean({ labelSmoothing: 0.1 }),
    'adversarial images': () => adversarial({ attack }),
    TRADES: () => adversarial({ attack, loss: trades({ beta: 6, labelSmoothing: 0 }) }),
    'TRADES, label smoothing': () => adversarial({ attack, loss: trades({ beta: 6, labelSmoothing: 0.2 }) }),
    MART: () => adversarial({ attack, loss: mart({ beta: 5 }) }),
    GradAlign: () => adversarial({ attack, gradAlign }),
    'TRADES with GradAlign': () =>
      adversarial({ attack, loss: trades({ beta: 6, labelSmoothing: 0 }), gradAlign }),
    'gradient norm': () =>
      gradientNorm({
        norm: 'linf',
        epsilon: 0.05,
        crossEntropy: 0.8,
        penalty: 1.2,
        warmup: 0,
        labelSmoothing: 0.1,
      }),
    'gradient norm, L2': () =>
      gradientNorm({ norm: 'l2', epsilon: 0.5, crossEntropy: 0.8, penalty: 1.2, warmup: 0 }),
    'gradient norm, of running statistics': () =>
      gradientNorm({
        norm: 'linf',
        epsilon: 0.05,
        crossEntropy: 0.8,
        penalty: 1.2,
        warmup: 0,
        pass: { train: false },
      }),
    Free: () => {
      const objective = free(freeOptions);
      const draw = randomBatch('float64')
        .x.sub(0.5)
        .mul(2 * freeOptions.epsilon);
      objective.restore(new Map([['noise', draw]]));
      return objective;
    },
  };
  const step = 1e-5;
  const weighted = ['label smoothing', 'TRADES, label smoothing', 'MART', 'gradient norm', 'Free'];

  for (const [name, make, isWeighted] of [
    ...Object.entries(fixed).map(([name, make]) => [name, make, false] as const),
    ...weighted.map((name) => [name, fixed[name]!, true] as const),
  ])
    it(isWeighted ? `${name}, class weights` : name, () =>
      scope(() => {
        using model = tinyModel('float64');
        const batch = randomBatch('float64');
        const ofClass = tensor(Float64Array.of(0.5, 2, 1.25, 0.75), [4]);
        const place = { ...firstPlace, ...(isWeighted && { classWeights: { ofClass, mean: 1.2 } }) };
        const learn = () => {
          using objective = make();
          return objective.computeGradients(model, batch, place);
        };
        const slopes = learn().gradients;
        const parameters = [...model.network.parameters()];
        assert.equal(slopes.length, parameters.length);
        for (const [at, [parameterName, parameter]] of parameters.entries()) {
          const place = Math.floor(parameter.size / 2);
          const numbers = parameter.numbers();
          const lossAt = (by: number) =>
            scope(() => {
              const moved = Float64Array.from(numbers);
              moved[place]! += by;
              noGrad(() => parameter.copy_(tensor(moved, parameter.shape)));
              return learn().loss.item();
            });
          const difference = (lossAt(step) - lossAt(-step)) / (2 * step);
          lossAt(0);
          assert.notEqual(difference, 0);
          assertClose(
            [slopes[at]!.numbers()[place]!],
            [difference],
            { relative: 1e-6, absolute: 1e-8 },
            parameterName,
          );
        }
      }),
    );
});

describe('where probabilities vanish', () => {
  /** Loss and gradient of a loss for a network whose logits are huge and of either sign. */
  const extreme = (loss: TrainingLoss, dtype: Dtype, scale: number) =>
    scope(() => {
      using model = tinyModel(dtype);
      const parameters = model.network.parameters();
      noGrad(() => parameters.get('linear.weight')!.mul_(scale));
      const { x, labels } = randomBatch(dtype);
      const adversarial = x.mul(-1).add(1);
      const value = loss(model, { x, adversarial, labels }, { train: true, keepStatistics: true });
      const slopes = gradients([value.loss], [...parameters.values()]);
      return { loss: value.loss.item(), slopes: slopes.map((each) => each.numbers()) };
    });

  for (const [name, loss] of [
    ['TRADES', trades({ beta: 6, labelSmoothing: 0 })],
    ['MART', mart({ beta: 5 })],
  ] as const) {
    it(`${name} stays finite in float32, and right: float64 says the same`, () => {
      for (const scale of [1, 100, 1e4]) {
        const [single, double] = (['float32', 'float64'] as const).map((dtype) =>
          extreme(loss, dtype, scale),
        );
        assertClose([single!.loss], [double!.loss], { relative: 1e-4, absolute: 0 }, `loss at ${scale}`);
        for (const [at, expected] of double!.slopes.entries()) {
          const largest = Math.max(...expected.map(Math.abs));
          assertClose(
            single!.slopes[at]!,
            expected,
            { relative: 0, absolute: 0.01 * largest },
            `${scale}, ${at}`,
          );
        }
      }
    });

    it(`${name} goes on to grow where log(p + 1e-12) levels off`, () => {
      const [some, more] = [1e4, 1e5].map((scale) => extreme(loss, 'float64', scale).loss);
      assert.ok(some! > 6 * 27.7, `${some}`);
      assert.ok(more! / some! > 8, `${some}, ${more}`);
    });
  }
});

/** Steps of 32 images as the trainer takes them: replays on one batch, weights put back after the optimiser. */
function* steps(model: Model, objective: Objective, data: DatasetTensors): Generator<number> {
  using optimizer = new Sgd(model.network.parameters(), { momentum: 0.9, nesterov: true, weightDecay: 5e-4 });
  const stepsPerEpoch = Math.floor(data.count / 32) * objective.replays;
  for (let step = 0; ; step++)
    yield scope(() => {
      const first = Math.floor((step % stepsPerEpoch) / objective.replays) * 32;
      const batch = data.batch(Array.from({ length: 32 }, (_, row) => first + row));
      const epoch = 1 + Math.floor(step / stepsPerEpoch);
      const learned = objective.computeGradients(model, batch, { ...firstPlace, epoch, step, stepsPerEpoch });
      optimizer.step(learned.gradients, 0.1);
      learned.restore?.();
      return learned.loss.item();
    });
}

describe('a run on blobs', () => {
  const dataset = blobs(128);
  for (const [name, make] of Object.entries(objectives))
    it(`${name}: the loss falls by a third, and what was taken is given back`, () => {
      using data = new DatasetTensors(dataset);
      using model = smallModel(dataset);
      using objective = make();
      const losses: number[] = [];
      let live = 0;
      for (const loss of steps(model, objective, data)) {
        losses.push(loss);
        if (losses.length === 1) live = memoryInfo().liveTensors;
        assert.equal(memoryInfo().liveTensors, live);
        if (losses.length === 54) break;
      }
      const mean = (some: number[]) => some.reduce((sum, loss) => sum + loss, 0) / some.length;
      const [before, after] = [mean(losses.slice(0, 4)), mean(losses.slice(-4))];
      assert.ok(after < 0.67 * before, `${before} to ${after}`);
    });
});
