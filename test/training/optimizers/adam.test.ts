/** Adam and AdamW against PyTorch's (test/golden/adam.json): one step, and ten. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryInfo, setThreads } from '../../../src/engine/engine-info.js';
import { InputError } from '../../../src/errors.js';
import { scope } from '../../../src/tensor/scope.js';
import type { Dtype, Tensor } from '../../../src/tensor/tensor.js';
import { Adam, type AdamOptions } from '../../../src/training/optimizers/adam.js';
import { clipNorm } from '../../../src/training/optimizers/clip.js';
import { assertClose, double } from '../../support/close.js';
import { type GoldenTensor, readGolden } from '../../support/golden.js';
import { assertNamed, initialParameters, learnFrom, type Named } from '../../support/golden-networks.js';

setThreads(1);

interface Step {
  readonly loss: number;
  readonly gradients: Named;
  readonly parameters: Named;
  readonly mean: Named;
  readonly square: Named;
}

interface Case {
  readonly name: string;
  readonly decoupled: boolean;
  readonly weightDecay: number;
  readonly clipNorm: number | null;
  readonly norms: readonly number[];
  readonly first: Step;
  readonly last: Step;
}

const golden = readGolden<{
  beta1: number;
  beta2: number;
  epsilon: number;
  learningRates: readonly number[];
  images: GoldenTensor;
  labels: readonly number[];
  initial: Named;
  cases: readonly Case[];
}>('adam');
const { beta1, beta2, epsilon, learningRates } = golden;
const optionsOf = ({ weightDecay, decoupled }: Case): AdamOptions => ({
  beta1,
  beta2,
  epsilon,
  weightDecay,
  decoupled,
});

const start = (dtype: Dtype) => initialParameters(golden, dtype);
const learn = (parameters: ReadonlyMap<string, Tensor>) => learnFrom(golden, parameters);

/** The part of an optimiser's state whose names end so, under the parameters' names. */
const ending = (state: ReadonlyMap<string, Tensor>, end: string) =>
  new Map(
    [...state]
      .filter(([name]) => name.endsWith(end))
      .map(([name, value]) => [name.slice(0, -end.length), value]),
  );

describe('Adam', () => {
  it('is held against PyTorch with and without decay, apart and as a penalty, and with clipped gradients', () => {
    assert.equal(golden.cases.length, 4);
    assert.ok(golden.cases.some(({ decoupled }) => !decoupled));
    const clipped = golden.cases.find(({ clipNorm }) => clipNorm !== null)!;
    assert.ok(clipped.norms.some((norm) => norm > clipped.clipNorm!));
    assert.ok(clipped.norms.some((norm) => norm < clipped.clipNorm!));
  });

  for (const each of golden.cases)
    for (const [dtype, tolerance] of [
      ['float64', double],
      ['float32', { relative: 1e-4, absolute: 1e-5 }],
    ] as const)
      it(`goes PyTorch’s way in ${dtype}: ${each.name}`, () =>
        scope(() => {
          const parameters = start(dtype);
          using optimizer = new Adam(parameters, optionsOf(each));
          for (const [place, rate] of learningRates.entries()) {
            const { loss, slopes } = learn(parameters);
            const norm = clipNorm(slopes, each.clipNorm ?? Number.POSITIVE_INFINITY).item();
            assertClose([norm], [each.norms[place]!], tolerance, `norm of step ${place + 1}`);
            const expected = place === 0 ? each.first : place === learningRates.length - 1 ? each.last : null;
            if (expected !== null) {
              assertClose([loss], [expected.loss], tolerance, 'loss');
              const named = new Map([...parameters.keys()].map((name, at) => [name, slopes[at]!]));
              assertNamed(named, expected.gradients, tolerance, 'gradient of');
            }
            optimizer.step(slopes, rate);
            if (expected === null) continue;
            const state = optimizer.state();
            assert.equal(state.get('step')?.item(), place + 1);
            assertNamed(ending(state, '.mean'), expected.mean, tolerance, 'mean of');
            assertNamed(ending(state, '.square'), expected.square, tolerance, 'square of');
            assertNamed(parameters, expected.parameters, tolerance, 'weights');
          }
        }));

  it('goes on from a state that was kept as if it had never stopped, to the bit', () =>
    scope(() => {
      const options = optionsOf(golden.cases.at(-1)!);
      const parameters = start('float32');
      using optimizer = new Adam(parameters, options);
      const step = (on: Adam) => on.step(learn(on.parameters).slopes, 0.1);
      for (let count = 0; count < 3; count++) step(optimizer);
      const again = new Map(
        [...parameters].map(([name, value]) => [name, value.detach().clone().requireGrad_()]),
      );
      using resumed = new Adam(again, options);
      resumed.restore(new Map([...optimizer.state()].map(([name, value]) => [name, value.clone()])));
      for (let count = 0; count < 3; count++) {
        step(optimizer);
        step(resumed);
      }
      for (const [name, value] of parameters) assert.deepEqual(again.get(name)!.data(), value.data(), name);
      assert.equal(resumed.state().get('step')?.item(), 6);
    }));

  it('refuses a state that lacks something and is as it was then; an empty one begins anew', () =>
    scope(() => {
      const parameters = start('float32');
      using optimizer = new Adam(parameters, optionsOf(golden.cases[0]!));
      assert.equal(optimizer.state().size, 0);
      optimizer.step(learn(parameters).slopes, 0.1);
      const whole = new Map(optimizer.state());
      assert.equal(whole.size, 1 + 2 * parameters.size);
      for (const name of ['step', '0.bias.mean', '2.weight.square']) {
        const lacking = new Map([...whole].filter(([other]) => other !== name));
        assert.throws(
          () => optimizer.restore(lacking),
          (error) => error instanceof InputError && error.message.startsWith(`Expected ${name} of Adam`),
        );
      }
      assert.equal(optimizer.state().get('step')?.item(), 1);
      optimizer.restore(new Map());
      assert.equal(optimizer.state().size, 0);
    }));

  it('holds two numbers a weight and frees them at the end', () => {
    const before = memoryInfo().liveTensors;
    {
      const parameters = scope(() => start('float32'));
      using optimizer = new Adam(parameters, optionsOf(golden.cases[2]!));
      for (let count = 0; count < 2; count++) {
        scope(() => optimizer.step(learn(parameters).slopes, 0.1));
        assert.equal(memoryInfo().liveTensors, before + 3 * parameters.size);
      }
      for (const parameter of parameters.values()) parameter.dispose();
    }
    assert.equal(memoryInfo().liveTensors, before);
  });
});
