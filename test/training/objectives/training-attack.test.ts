import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { norms } from '../../../src/attacks/norms.js';
import { setThreads } from '../../../src/engine/engine-info.js';
import { ExecutionPlan } from '../../../src/models/execution-plan/execution-plan.js';
import type { Model } from '../../../src/models/model.js';
import { scope } from '../../../src/tensor/scope.js';
import type { StepContext } from '../../../src/training/objectives/objective.js';
import { perturb, type TrainingAttack } from '../../../src/training/objectives/training-attack.js';
import { assertClose, largestDifference } from '../../support/close.js';
import { epsilon, firstPlace, pgd, randomBatch, tinyModel } from '../../support/objectives.js';

setThreads(1);

describe('a warm-up', () => {
  const at = (step: number): StepContext => ({ ...firstPlace, step, epoch: 1 + Math.floor(step / 5) });
  const reach = (model: Model, attack: TrainingAttack, step: number) =>
    scope(() => {
      const batch = randomBatch('float64');
      return largestDifference(perturb(model, batch, attack, at(step)).numbers(), batch.x.numbers());
    });
  const bold: TrainingAttack = { ...pgd, stepSize: 3 * epsilon, start: { kind: 'image' } };
  const shares = [0, 1, 4, 8, 9, 10, 40].map((step) => [step, Math.min(1, (step + 1) / 10)] as const);

  it('of ε lets the ball grow from a step’s share to its full size', () => {
    using model = tinyModel('float64');
    for (const [step, share] of shares)
      assertClose(
        [reach(model, { ...bold, epsilonWarmup: 2 }, step)],
        [epsilon * share],
        { relative: 1e-9, absolute: 0 },
        `step ${step}`,
      );
  });

  it('of ε shortens the step with the ball, and that of the step multiplies it', () => {
    using model = tinyModel('float64');
    const short: TrainingAttack = { ...pgd, steps: 1, stepSize: 0.01, start: { kind: 'image' } };
    for (const [step, share] of shares) {
      const close = (attack: TrainingAttack, expected: number) =>
        assertClose(
          [reach(model, attack, step)],
          [expected],
          { relative: 1e-9, absolute: 0 },
          `step ${step}`,
        );
      close({ ...short, epsilonWarmup: 2 }, 0.01 * share);
      close({ ...short, stepWarmup: 2 }, 0.01 * share);
      close({ ...short, epsilonWarmup: 2, stepWarmup: 2 }, 0.01 * share * share);
      close(short, 0.01);
    }
  });
});

describe('the network that a training step attacks', () => {
  // In L2 a step follows the gradient's size, not its sign alone, which rounding may turn.
  const attack: TrainingAttack = {
    ...pgd,
    norm: norms.l2,
    epsilon: 0.5,
    stepSize: 0.2,
    start: { kind: 'image' },
  };
  const images = (dtype: 'float32' | 'float64', steps: number) =>
    scope(() => {
      using model = tinyModel(dtype);
      const made = mock.method(ExecutionPlan, 'make');
      const found = perturb(model, randomBatch(dtype), { ...attack, steps }, firstPlace).numbers();
      made.mock.restore();
      return { found, plans: made.mock.calls.filter(({ result }) => result !== null).length };
    });

  for (const steps of [1, 5])
    it(`in ${steps} steps runs as one execution plan, and the images found are those of float64`, () => {
      const [single, exact] = [images('float32', steps), images('float64', steps)];
      assert.deepEqual([single.plans, exact.plans], [1, 0]);
      assertClose(single.found, exact.found, { relative: 0, absolute: 1e-5 }, 'images');
    });
});
