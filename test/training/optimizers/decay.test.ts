/** Weight decay of weights alone, or of all parameters as PyTorch's optimizers do, against the closed form of one step. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setThreads } from '../../../src/engine/engine-info.js';
import { tensor } from '../../../src/tensor/create.js';
import { scope } from '../../../src/tensor/scope.js';
import { Adam } from '../../../src/training/optimizers/adam.js';
import { decays, type WeightDecayOn } from '../../../src/training/optimizers/decay.js';
import { Sgd } from '../../../src/training/optimizers/sgd.js';

setThreads(1);

const [rate, decay] = [0.1, 0.3];

/** A weight of 2 and a bias of 3 after one step along gradients of 0.5. */
function stepOf(
  optimizer: (parameters: ReadonlyMap<string, ReturnType<typeof tensor>>) => Sgd | Adam,
): readonly [number, number] {
  return scope(() => {
    const weight = tensor(Float64Array.of(2), [1, 1]).requireGrad_();
    const bias = tensor(Float64Array.of(3), [1]).requireGrad_();
    using own = optimizer(new Map([...Object.entries({ weight, bias })]));
    own.step([tensor(Float64Array.of(0.5), [1, 1]), tensor(Float64Array.of(0.5), [1])], rate);
    return [weight.numbers()[0]!, bias.numbers()[0]!];
  });
}

const near = (found: readonly number[], expected: readonly number[]) =>
  found.forEach((value, index) => {
    assert.ok(Math.abs(value - expected[index]!) < 1e-9, `${found} and not ${expected}`);
  });

describe('weight decay', () => {
  const sgd = (weightDecayOn: WeightDecayOn) =>
    stepOf((p) => new Sgd(p, { momentum: 0, nesterov: false, weightDecay: decay, weightDecayOn }));
  const adamw = (weightDecayOn: WeightDecayOn) =>
    stepOf(
      (p) =>
        new Adam(p, {
          beta1: 0.9,
          beta2: 0.999,
          epsilon: 0,
          weightDecay: decay,
          weightDecayOn,
          decoupled: true,
        }),
    );

  it('is that of weights alone, or of all parameters: SGD, w − η (g + λ w)', () => {
    near(sgd('weights'), [2 - rate * (0.5 + decay * 2), 3 - rate * 0.5]);
    near(sgd('all'), [2 - rate * (0.5 + decay * 2), 3 - rate * (0.5 + decay * 3)]);
  });

  it('is that of weights alone, or of all parameters: AdamW, whose first step is η long', () => {
    near(adamw('weights'), [2 * (1 - rate * decay) - rate, 3 - rate]);
    near(adamw('all'), [2 * (1 - rate * decay) - rate, 3 * (1 - rate * decay) - rate]);
  });

  it('takes tensors of more than one dimension for weights', () =>
    scope(() => {
      const [matrix, vector] = [tensor(new Float64Array(4), [2, 2]), tensor(new Float64Array(4), [4])];
      assert.deepEqual([decays(matrix, 'weights'), decays(vector, 'weights')], [true, false]);
      assert.deepEqual([decays(matrix, 'all'), decays(vector, 'all')], [true, true]);
    }));
});
