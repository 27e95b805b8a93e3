/** SGD calls each operator for many parameters at once; the weights are those of one parameter after the other, to the bit. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setThreads } from '../../../src/engine/engine-info.js';
import { noGrad } from '../../../src/tensor/gradient.js';
import { scope } from '../../../src/tensor/scope.js';
import type { Tensor } from '../../../src/tensor/tensor.js';
import { decays } from '../../../src/training/optimizers/decay.js';
import { Sgd, type SgdOptions } from '../../../src/training/optimizers/sgd.js';
import { dataOf, drawGradients, drawParameters } from '../../support/parameter-lists.js';

setThreads(1);

const learningRates = [0.1, 0.03, 0.01];

/** One parameter after the other. */
function plainWeights({ momentum, nesterov, weightDecay, weightDecayOn = 'weights' }: SgdOptions) {
  const parameters = [...drawParameters().values()];
  const velocities = new Map<Tensor, Tensor>();
  noGrad(() => {
    for (const [step, rate] of learningRates.entries())
      for (const [index, gradient] of drawGradients(step + 1).entries()) {
        const parameter = parameters[index]!;
        if (weightDecay !== 0 && decays(parameter, weightDecayOn)) gradient.add_(parameter, weightDecay);
        if (momentum === 0) {
          parameter.add_(gradient, -rate);
          continue;
        }
        const before = velocities.get(parameter);
        const velocity = before === undefined ? gradient.clone() : before.mul_(momentum).add_(gradient);
        velocities.set(parameter, velocity);
        parameter.add_(nesterov ? gradient.add_(velocity, momentum) : velocity, -rate);
      }
  });
  return dataOf(parameters);
}

describe('SGD', () => {
  for (const momentum of [0, 0.9])
    for (const nesterov of momentum === 0 ? [false] : [false, true])
      for (const [weightDecay, weightDecayOn] of [
        [0, 'weights'],
        [0.01, 'weights'],
        [0.01, 'all'],
      ] as const)
        it(`is that of one parameter after the other: momentum ${momentum}${nesterov ? ' of Nesterov' : ''}, decay ${weightDecay} of ${weightDecayOn}`, () =>
          scope(() => {
            const options: SgdOptions = { momentum, nesterov, weightDecay, weightDecayOn };
            const parameters = drawParameters();
            using optimizer = new Sgd(parameters, options);
            for (const [step, rate] of learningRates.entries()) optimizer.step(drawGradients(step + 1), rate);
            assert.deepEqual(dataOf(parameters.values()), plainWeights(options));
          }));
});
