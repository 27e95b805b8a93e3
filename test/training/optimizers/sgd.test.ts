import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryInfo, setThreads } from '../../../src/engine/engine-info.js';
import { InputError } from '../../../src/errors.js';
import { tensor } from '../../../src/tensor/create.js';
import { scope } from '../../../src/tensor/scope.js';
import type { Dtype, Tensor } from '../../../src/tensor/tensor.js';
import { Sgd, type SgdOptions } from '../../../src/training/optimizers/sgd.js';
import { assertClose, double } from '../../support/close.js';
import { type GoldenTensor, readGolden } from '../../support/golden.js';
import { assertNamed, initialParameters, learnFrom, type Named } from '../../support/golden-networks.js';

setThreads(1);

const golden = readGolden<{
  momentum: number;
  nesterov: boolean;
  weightDecay: number;
  decayed: readonly string[];
  images: GoldenTensor;
  labels: readonly number[];
  initial: Named;
  steps: readonly {
    learningRate: number;
    loss: number;
    gradients: Named;
    parameters: Named;
    momentum: Named;
  }[];
}>('sgd');

const options: SgdOptions = {
  momentum: golden.momentum,
  nesterov: golden.nesterov,
  weightDecay: golden.weightDecay,
};

const start = (dtype: Dtype) => initialParameters(golden, dtype);
const learn = (parameters: ReadonlyMap<string, Tensor>) => learnFrom(golden, parameters);

describe('SGD with Nesterov momentum', () => {
  it('decays weights and no biases, as the golden values do', () => {
    const weights = Object.entries(golden.initial).filter(([, value]) => value.shape.length > 1);
    assert.deepEqual(
      weights.map(([name]) => name),
      golden.decayed,
    );
    assert.ok(golden.steps.length >= 5 && golden.weightDecay > 0 && golden.nesterov);
  });

  for (const [dtype, tolerance] of [
    ['float64', double],
    ['float32', { relative: 1e-5, absolute: 1e-6 }],
  ] as const)
    it(`goes PyTorch’s way in ${dtype}: gradients, velocities and weights of every step`, () =>
      scope(() => {
        const parameters = start(dtype);
        using optimizer = new Sgd(parameters, options);
        for (const step of golden.steps) {
          const { loss, slopes } = learn(parameters);
          assertClose([loss], [step.loss], tolerance, 'loss');
          assertNamed(
            new Map([...parameters.keys()].map((name, at) => [name, slopes[at]!])),
            step.gradients,
            tolerance,
            'gradient of',
          );
          optimizer.step(slopes, step.learningRate);
          assertNamed(optimizer.state(), step.momentum, tolerance, 'velocity of');
          assertNamed(parameters, step.parameters, tolerance, 'weights');
        }
      }));

  it('goes on from a state that was kept as if it had never stopped, to the bit', () =>
    scope(() => {
      const parameters = start('float32');
      using optimizer = new Sgd(parameters, options);
      const step = (on: Sgd, at: number) =>
        on.step(learn(on.parameters).slopes, golden.steps[at]!.learningRate);
      step(optimizer, 0);
      step(optimizer, 1);
      const again = new Map(
        [...parameters].map(([name, value]) => [name, value.detach().clone().requireGrad_()]),
      );
      using resumed = new Sgd(again, options);
      resumed.restore(new Map([...optimizer.state()].map(([name, value]) => [name, value.clone()])));
      for (const at of [2, 3]) {
        step(optimizer, at);
        step(resumed, at);
      }
      for (const [name, value] of parameters) assert.deepEqual(again.get(name)!.data(), value.data(), name);
    }));

  it('refuses a state that lacks a parameter, and takes an empty one', () =>
    scope(() => {
      const parameters = start('float32');
      using optimizer = new Sgd(parameters, options);
      optimizer.restore(new Map());
      assert.equal(optimizer.state().size, 0);
      const some = new Map([['0.weight', parameters.get('0.weight')!]]);
      assert.throws(
        () => optimizer.restore(some),
        (error) => error instanceof InputError && /Expected a velocity for 0\.bias/.test(error.message),
      );
    }));

  it('without momentum and without Nesterov is the plain rule', () =>
    scope(() => {
      const weight = () => tensor(Float64Array.of(1, -2), [1, 2]).requireGrad_();
      const slope = () => tensor(Float64Array.of(0.5, 4), [1, 2]);
      const walk = (chosen: SgdOptions) => {
        const parameter = weight();
        using optimizer = new Sgd(new Map([['w', parameter]]), chosen);
        optimizer.step([slope()], 0.1);
        optimizer.step([slope()], 0.1);
        return parameter.numbers();
      };
      const close = (actual: Float64Array, expected: readonly number[]) =>
        assertClose(actual, expected, double, 'weights');
      close(walk({ momentum: 0, nesterov: false, weightDecay: 0 }), [0.9, -2.8]);
      close(walk({ momentum: 0.5, nesterov: false, weightDecay: 0 }), [1 - 0.05 - 0.075, -2 - 0.4 - 0.6]);
      // w ← w − 0.1 (g + 0.1 w), twice
      close(walk({ momentum: 0, nesterov: false, weightDecay: 0.1 }), [
        0.94 - 0.1 * (0.5 + 0.094),
        -2.38 - 0.1 * (4 - 0.238),
      ]);
    }));

  it('holds one velocity a parameter and frees it at the end', () => {
    const before = memoryInfo().liveTensors;
    {
      const parameters = scope(() => start('float32'));
      using optimizer = new Sgd(parameters, options);
      const step = () => scope(() => optimizer.step(learn(parameters).slopes, 0.1));
      step();
      assert.equal(memoryInfo().liveTensors, before + 8);
      step();
      assert.equal(memoryInfo().liveTensors, before + 8);
      for (const parameter of parameters.values()) parameter.dispose();
    }
    assert.equal(memoryInfo().liveTensors, before);
  });
});
