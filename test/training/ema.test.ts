import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryInfo, setThreads } from '../../src/engine/engine-info.js';
import { InputError } from '../../src/errors.js';
import { Model } from '../../src/models/model.js';
import { noGrad } from '../../src/tensor/gradient.js';
import { scope } from '../../src/tensor/scope.js';
import { Ema, type EmaOptions } from '../../src/training/ema.js';
import { assertClose, double } from '../support/close.js';

setThreads(1);

const create = (dtype: 'float32' | 'float64' = 'float64') =>
  Model.create(
    {
      architecture: 'resnet8',
      width: 1 / 16,
      activation: 'smooth-relu',
      classes: ['a', 'b'],
      shape: [1, 8, 8],
      normalise: { mean: [0.4], std: [0.2] },
    },
    { seed: 3, dtype },
  );

type Numbers = ReadonlyMap<string, Float64Array>;

const numbersOf = ({ network }: Model): Numbers =>
  new Map([...network.state()].map(([name, tensor]) => [name, tensor.numbers()]));

/** As training changes a network: weights, learned coefficients, running statistics and the count of batches. */
function change({ network }: Model, step: number): void {
  noGrad(() =>
    scope(() => {
      for (const tensor of network.state().values())
        if (tensor.dtype === 'int64') tensor.addNumber_(1);
        else tensor.mul_(0.9).addNumber_(0.01 * (step + 1));
    }),
  );
}

const steps = 12;

/** The average after some steps, with all that the live network was: at the start, and after each step. */
function averaged(options: EmaOptions): { average: Numbers; live: Numbers[] } {
  using model = create();
  using ema = new Ema(model, options);
  const live = [numbersOf(model)];
  for (let step = 0; step < steps; step++) {
    change(model, step);
    ema.update(step);
    live.push(numbersOf(model));
  }
  return { average: numbersOf(ema.model), live };
}

const isBuffer = (name: string) => /running_(mean|var)$/.test(name);
const isCount = (name: string) => name.endsWith('num_batches_tracked');

/** Σ weightᵢ · liveᵢ: the closed form of the recurrence with factor d(t). */
function closedForm(live: readonly Numbers[], name: string, decayAt: (step: number) => number): number[] {
  const weights = live.map((_, place) => {
    const own = place === 0 ? 1 : 1 - decayAt(place - 1);
    let later = 1;
    for (let step = place; step < steps; step++) later *= decayAt(step);
    return own * later;
  });
  assertClose([weights.reduce((sum, weight) => sum + weight)], [1], double, 'the weights’ sum');
  return Array.from(live[0]!.get(name)!, (_, at) =>
    live.reduce((sum, numbers, place) => sum + weights[place]! * numbers.get(name)![at]!, 0),
  );
}

describe('the moving average of the weights', () => {
  const cases = [
    { decay: 0.9, warmup: false, at: () => 0.9 },
    { decay: 0.5, warmup: true, at: (step: number) => Math.min(0.5, (1 + step) / (10 + step)) },
    { decay: 0, warmup: false, at: () => 0 },
  ];
  for (const batchNorm of ['copy', 'average'] as const)
    for (const { decay, warmup, at } of cases)
      it(`is its closed form: decay ${decay}, ${warmup ? 'with' : 'without'} warm-up, batch norm ${batchNorm}`, () => {
        const { average, live } = averaged({ decay, warmup, batchNorm });
        const names = [...average.keys()];
        assert.ok(names.some(isBuffer) && names.some(isCount) && names.some((name) => /act/.test(name)));
        for (const [name, numbers] of average) {
          const isCopied = isCount(name) || (batchNorm === 'copy' && isBuffer(name));
          if (isCopied) assert.deepEqual(numbers, live.at(-1)!.get(name), name);
          else assertClose(numbers, closedForm(live, name, at), double, name);
        }
      });

  it('is that of one tensor after the other, to the bit', () => {
    for (const batchNorm of ['copy', 'average'] as const) {
      using model = create('float32');
      using ema = new Ema(model, { decay: 0.9, warmup: false, batchNorm });
      const expected = scope(() => {
        const averages = new Map([...model.network.state()].map(([name, each]) => [name, each.clone()]));
        for (let step = 0; step < 3; step++) {
          change(model, step);
          ema.update(step);
          noGrad(() => {
            for (const [name, live] of model.network.state()) {
              const average = averages.get(name)!;
              const isCopied = isCount(name) || (batchNorm === 'copy' && isBuffer(name));
              if (isCopied) average.copy_(live);
              else average.mul_(0.9).add_(live, 1 - 0.9);
            }
          });
        }
        return new Map([...averages].map(([name, each]) => [name, each.numbers()]));
      });
      assert.deepEqual(numbersOf(ema.model), expected);
    }
  });

  it('warms up: the warm-up is felt until (1 + t) / (10 + t) reaches the decay', () => {
    const [warm, cold] = [true, false].map(
      (warmup) => averaged({ decay: 0.99, warmup, batchNorm: 'copy' }).average.get('linear.bias')!,
    );
    // The biases began at 0 and have risen: what forgets sooner is nearer to where they are.
    assert.ok(warm![0]! > 2 * cold![0]!, `${warm![0]} and ${cold![0]}`);
  });

  it('begins as the network is, and is in no way tied to it', () => {
    using model = create('float32');
    using ema = new Ema(model, { decay: 0.9, warmup: true, batchNorm: 'copy' });
    const before = numbersOf(model);
    assert.deepEqual(numbersOf(ema.model), before);
    assert.deepEqual(ema.model.description, model.description);
    change(model, 0);
    assert.deepEqual(numbersOf(ema.model), before);
    const live = numbersOf(model);
    ema.update(0);
    assert.deepEqual(numbersOf(model), live);
  });

  it('leaves nothing behind', () => {
    using model = create('float32');
    const before = memoryInfo().liveTensors;
    {
      using ema = new Ema(model, { decay: 0.9, warmup: true, batchNorm: 'average' });
      const held = memoryInfo().liveTensors;
      ema.update(0);
      ema.update(1);
      assert.equal(memoryInfo().liveTensors, held);
    }
    assert.equal(memoryInfo().liveTensors, before);
  });

  it('is refused for a decay outside [0, 1)', () => {
    using model = create('float32');
    for (const decay of [1, 1.5, -0.1, Number.NaN])
      assert.throws(
        () => new Ema(model, { decay, warmup: true, batchNorm: 'copy' }),
        (error) => error instanceof InputError && /from 0 to below 1 for ema\.decay/.test(error.message),
      );
  });
});
