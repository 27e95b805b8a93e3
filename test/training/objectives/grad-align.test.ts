import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { norms } from '../../../src/attacks/norms.js';
import { setThreads } from '../../../src/engine/engine-info.js';
import { InputError } from '../../../src/errors.js';
import type { Model } from '../../../src/models/model.js';
import { noGrad } from '../../../src/tensor/gradient.js';
import { scope } from '../../../src/tensor/scope.js';
import { adversarial } from '../../../src/training/objectives/adversarial.js';
import type { StepContext } from '../../../src/training/objectives/objective.js';
import type { TrainingAttack } from '../../../src/training/objectives/training-attack.js';
import { assertClose, largestDifference } from '../../support/close.js';
import { epsilon, firstPlace, pgd, randomBatch, tinyModel } from '../../support/objectives.js';
import { learnsFrom, passesOf } from '../../support/passes.js';

setThreads(1);

/** An attack that earlier steps do not change: it looks at no running statistics. */
const still: TrainingAttack = { ...pgd, batchNorm: 'train' };

describe('GradAlign', () => {
  const lossWith = (
    model: Model,
    weight: number,
    options: { place?: StepContext; attack?: TrainingAttack } = {},
  ) =>
    scope(() => {
      const { place = firstPlace, attack = still } = options;
      using objective = adversarial({ attack, gradAlign: { weight } });
      return objective.computeGradients(model, randomBatch('float64'), place).loss.item();
    });
  const penalty = (model: Model, options: { place?: StepContext; attack?: TrainingAttack } = {}) =>
    lossWith(model, 1, options) - lossWith(model, 0, options);

  it('adds weight times a number in (0, 2]', () => {
    using model = tinyModel('float64');
    const whole = penalty(model);
    assert.ok(whole > 1e-6 && whole <= 2, `${whole}`);
    assertClose(
      [lossWith(model, 0.5)],
      [lossWith(model, 0) + 0.5 * whole],
      { relative: 1e-12, absolute: 0 },
      'loss',
    );
  });

  it('is 0 without noise, and grows as ε warms up', () => {
    using model = tinyModel('float64');
    assert.ok(Math.abs(penalty(model, { attack: { ...still, epsilon: 0 } })) < 1e-12);
    const attack = { ...still, epsilonWarmup: 1 };
    const [first, last] = [0, 4].map((step) => penalty(model, { attack, place: { ...firstPlace, step } }));
    assert.ok(first! > 0 && first! < 0.5 * last!, `${first}, ${last}`);
  });

  it('draws anew in each epoch, from a stream of its own', () => {
    using model = tinyModel('float64');
    const attack: TrainingAttack = { ...still, start: { kind: 'image' } };
    const [first, second] = [1, 2].map((epoch) =>
      penalty(model, { attack, place: { ...firstPlace, epoch } }),
    );
    assert.notEqual(first, second);
    const [, noisy] = passesOf(model, () => {
      lossWith(model, 1, { attack: { ...still, steps: 0 } });
    }).filter(({ pass }) => pass.keepStatistics === true);
    const attacked = passesOf(model, () => {
      lossWith(model, 0, { attack: { ...still, steps: 0 } });
    }).find(learnsFrom);
    assert.ok(largestDifference(noisy!.pixels, attacked!.pixels) > 0.5 * epsilon);
  });

  it('leaves out images whose gradient is 0, and is 0 where all are: nothing becomes NaN', () => {
    using model = tinyModel('float64');
    noGrad(() => model.network.parameters().get('linear.weight')!.mul_(0));
    assert.equal(penalty(model), 0);
    scope(() => {
      using objective = adversarial({ attack: still, gradAlign: { weight: 1 } });
      const { gradients } = objective.computeGradients(model, randomBatch('float64'), firstPlace);
      for (const each of gradients) assert.ok(each.numbers().every(Number.isFinite));
    });
  });

  it('at the attack’s start looks there: not at the image, and at pixels that the box did not clip', () => {
    using model = tinyModel('float64');
    const at = (start: TrainingAttack['start'], place: 'image' | 'start') => {
      const [first] = passesOf(model, () =>
        scope(() => {
          using objective = adversarial({ attack: { ...still, start }, gradAlign: { weight: 1, at: place } });
          objective.computeGradients(model, randomBatch('float64'), firstPlace);
        }),
      )
        .filter(({ pass }) => pass.keepStatistics === true && pass.doubleBackward !== true)
        .slice(still.steps);
      return first!.pixels;
    };
    const { x } = randomBatch('float64');
    const [clean, begun] = [at({ kind: 'uniform' }, 'image'), at({ kind: 'uniform' }, 'start')];
    assert.deepEqual(clean, x.numbers());
    assert.ok(begun.every((pixel) => pixel >= 0 && pixel <= 1));
    const far = largestDifference(begun, clean);
    assert.ok(far > 0.9 * epsilon && far <= epsilon, `${far}`);
    assert.deepEqual(at({ kind: 'image' }, 'start'), clean);
    x.dispose();
  });

  it('refuses another norm than L∞', () => {
    assert.throws(
      () => adversarial({ attack: { ...still, norm: norms.l2 }, gradAlign: { weight: 1 } }),
      (error) => error instanceof InputError && /Expected linf for the norm of GradAlign/.test(error.message),
    );
  });
});
