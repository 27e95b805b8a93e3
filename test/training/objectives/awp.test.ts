import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryInfo, setThreads } from '../../../src/engine/engine-info.js';
import type { Model } from '../../../src/models/model.js';
import { noGrad } from '../../../src/tensor/gradient.js';
import { scope } from '../../../src/tensor/scope.js';
import { adversarial } from '../../../src/training/objectives/adversarial.js';
import type { TrainingLoss } from '../../../src/training/objectives/objective.js';
import { trades } from '../../../src/training/objectives/trades.js';
import type { TrainingAttack } from '../../../src/training/objectives/training-attack.js';
import { assertClose } from '../../support/close.js';
import { firstPlace, numbersOf, pgd, randomBatch, tinyModel } from '../../support/objectives.js';

setThreads(1);

/** An attack that earlier steps do not change: it looks at no running statistics. */
const still: TrainingAttack = { ...pgd, batchNorm: 'train' };
const largestOf = (numbers: Float64Array) => numbers.reduce((a, b) => Math.max(a, Math.abs(b)), 0);

describe('adversarial weight perturbation', () => {
  const gamma = 0.01;
  const weightsOf = (model: Model) => numbersOf(model.network.parameters());
  const length = (numbers: Float64Array) => Math.hypot(...numbers);

  it('moves each tensor of more than one dimension by γ of its length up the loss, and leaves the others', () => {
    using model = tinyModel('float64');
    using plain = adversarial({ attack: still });
    using objective = adversarial({ attack: still, awp: { gamma, warmup: 0 } });
    scope(() => {
      const batch = randomBatch('float64');
      const before = weightsOf(model);
      const uphill = plain.computeGradients(model, batch, firstPlace);
      const learned = objective.computeGradients(model, batch, firstPlace);
      assert.ok(learned.loss.item() > uphill.loss.item());
      for (const [place, [name, numbers]] of [...weightsOf(model)].entries()) {
        const old = before.get(name)!;
        const move = numbers.map((number, at) => number - old[at]!);
        const isWeight = model.network.parameters().get(name)!.shape.length > 1;
        assertClose(
          [length(move)],
          [isWeight ? gamma * length(old) : 0],
          { relative: 1e-9, absolute: 0 },
          name,
        );
        if (!isWeight) continue;
        const slope = uphill.gradients[place]!.numbers();
        const cosine =
          move.reduce((sum, each, at) => sum + each * slope[at]!, 0) / length(move) / length(slope);
        assertClose([cosine], [1], { relative: 1e-9, absolute: 0 }, name);
      }
      learned.restore!();
      assertSame(weightsOf(model), before);
      learned.restore!();
      assertSame(weightsOf(model), before);
    });
  });

  const assertSame = (actual: Map<string, Float64Array>, expected: Map<string, Float64Array>) => {
    for (const [name, numbers] of expected)
      assertClose(actual.get(name)!, numbers, { relative: 0, absolute: 1e-15 * largestOf(numbers) }, name);
  };

  it('waits for its warm-up', () => {
    using model = tinyModel('float64');
    using objective = adversarial({ attack: still, awp: { gamma, warmup: 2 } });
    for (const [step, isMoved] of [
      [0, false],
      [9, false],
      [10, true],
    ] as const)
      scope(() => {
        const learned = objective.computeGradients(model, randomBatch('float64'), { ...firstPlace, step });
        assert.equal(learned.restore !== undefined, isMoved, `step ${step}`);
        learned.restore?.();
      });
  });

  it('moves nothing where the loss is no number: weights stay to the bit', () => {
    using model = tinyModel('float64');
    const parameters = model.network.parameters();
    noGrad(() => parameters.get('bn1.bias')!.mul_(Number.POSITIVE_INFINITY));
    const before = weightsOf(model);
    using objective = adversarial({ attack: still, awp: { gamma, warmup: 0 } });
    scope(() => {
      const learned = objective.computeGradients(model, randomBatch('float64'), firstPlace);
      assert.ok(Number.isNaN(learned.loss.item()));
      learned.restore?.();
    });
    assert.deepEqual(weightsOf(model), before);
  });

  it('puts the weights back and frees all where learning throws', () => {
    using model = tinyModel('float64');
    const before = weightsOf(model);
    const live = memoryInfo().liveTensors;
    let calls = 0;
    const loss: TrainingLoss = (...given) => {
      if (++calls === 2) throw new RangeError('in the second pass');
      return trades({ beta: 6, labelSmoothing: 0 })(...given);
    };
    using objective = adversarial({ attack: still, loss, awp: { gamma, warmup: 0 } });
    assert.throws(
      () => scope(() => objective.computeGradients(model, randomBatch('float64'), firstPlace)),
      /in the second pass/,
    );
    assertSame(weightsOf(model), before);
    assert.equal(memoryInfo().liveTensors, live);
  });
});
