import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseActivation } from '../../../src/activations/parse.js';
import { setThreads } from '../../../src/engine/engine-info.js';
import type { Model } from '../../../src/models/model.js';
import { adversarial } from '../../../src/training/objectives/adversarial.js';
import type { Objective } from '../../../src/training/objectives/objective.js';
import type { TrainingAttack } from '../../../src/training/objectives/training-attack.js';
import { firstPlace, pgd, randomBatch, tinyModel } from '../../support/objectives.js';
import { learnsFrom, passesOf } from '../../support/passes.js';

setThreads(1);

describe('another derivative', () => {
  const [one, other] = [parseActivation('softplus(10)'), parseActivation('softplus')];
  const learn = (objective: Objective, model: Model) =>
    passesOf(model, () => {
      objective.computeGradients(model, randomBatch('float64'), firstPlace).restore?.();
    });

  for (const batchNorm of ['eval', 'train'] as const)
    it(`of the attack and of the update go each to its own passes, batch norm in ${batchNorm} mode in the attack`, () => {
      using model = tinyModel('float64', 'relu');
      const attack: TrainingAttack = { ...pgd, batchNorm, derivative: one };
      using objective = adversarial({ attack, pass: { train: true, derivative: other } });
      const seen = learn(objective, model);
      assert.deepEqual(
        seen.map(({ pass }) => pass.derivative?.name),
        [one.name, one.name, other.name],
      );
      assert.deepEqual(seen.map(learnsFrom), [false, false, true]);
    });

  it('of the update is that of AWP’s and GradAlign’s passes too', () => {
    using model = tinyModel('float64', 'relu');
    const gradAlign = { weight: 0.2 };
    const pass = { train: true, derivative: other };
    using objective = adversarial({ attack: pgd, awp: { gamma: 0.01, warmup: 0 }, gradAlign, pass });
    const seen = learn(objective, model);
    assert.deepEqual(
      seen.map((each) => [each.pass.derivative?.name, learnsFrom(each), each.pass.doubleBackward ?? false]),
      [
        [undefined, false, false], // two steps of the attack
        [undefined, false, false],
        [other.name, false, false], // AWP
        [other.name, true, false], // the update
        [other.name, false, false], // GradAlign at the image, a constant
        [other.name, false, true], // and in the noise
      ],
    );
  });
});
