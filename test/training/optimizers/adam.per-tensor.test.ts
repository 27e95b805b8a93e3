/** Adam calls each operator for many parameters at once; the weights are those of one parameter after the other, to the bit. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setThreads } from '../../../src/engine/engine-info.js';
import { zerosLike } from '../../../src/tensor/create.js';
import { noGrad } from '../../../src/tensor/gradient.js';
import { scope } from '../../../src/tensor/scope.js';
import { Adam, type AdamOptions } from '../../../src/training/optimizers/adam.js';
import { decays } from '../../../src/training/optimizers/decay.js';
import { dataOf, drawGradients, drawParameters } from '../../support/parameter-lists.js';

setThreads(1);

const learningRates = [0.1, 0.03, 0.01];

/** One parameter after the other. */
function plainWeights(options: AdamOptions) {
  const { beta1, beta2, epsilon, weightDecay, weightDecayOn = 'weights', decoupled } = options;
  const parameters = [...drawParameters().values()];
  const moments = parameters.map((each) => ({ mean: zerosLike(each), square: zerosLike(each) }));
  noGrad(() => {
    for (const [step, rate] of learningRates.entries())
      for (const [index, gradient] of drawGradients(step + 1).entries()) {
        const parameter = parameters[index]!;
        if (weightDecay !== 0 && decays(parameter, weightDecayOn)) {
          if (decoupled) parameter.mul_(1 - rate * weightDecay);
          else gradient.add_(parameter, weightDecay);
        }
        const { mean, square } = moments[index]!;
        mean.mul_(beta1).add_(gradient, 1 - beta1);
        square.mul_(beta2).add_(gradient.mul_(gradient), 1 - beta2);
        const size = square
          .sqrt()
          .mul_(1 / Math.sqrt(1 - beta2 ** (step + 1)))
          .addNumber_(epsilon);
        parameter.add_(mean.div(size), -rate / (1 - beta1 ** (step + 1)));
      }
  });
  return dataOf(parameters);
}

describe('Adam', () => {
  for (const decoupled of [false, true])
    for (const [weightDecay, weightDecayOn] of [
      [0, 'weights'],
      [0.05, 'weights'],
      [0.05, 'all'],
    ] as const)
      it(`is that of one parameter after the other: ${decoupled ? 'AdamW' : 'Adam'}, decay ${weightDecay} of ${weightDecayOn}`, () =>
        scope(() => {
          const rates = { beta1: 0.9, beta2: 0.99, epsilon: 1e-6 };
          const options: AdamOptions = { ...rates, weightDecay, weightDecayOn, decoupled };
          const parameters = drawParameters();
          using optimizer = new Adam(parameters, options);
          for (const [step, rate] of learningRates.entries()) optimizer.step(drawGradients(step + 1), rate);
          assert.deepEqual(dataOf(parameters.values()), plainWeights(options));
        }));
});
