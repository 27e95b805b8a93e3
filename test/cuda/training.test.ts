/** Training on the device and on the CPU: objectives, precision, smoke runs, resuming, the recorded attack. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { trainRun } from '../../src/app/train/train-run.js';
import type { Batch } from '../../src/data/dataset-tensors.js';
import { InterruptedError } from '../../src/errors.js';
import { parseRecipe, type Recipe } from '../../src/recipe/recipe.js';
import { readEvents } from '../../src/runs/event-log.js';
import { cat } from '../../src/tensor/create.js';
import { scope } from '../../src/tensor/scope.js';
import type { Dtype, Tensor } from '../../src/tensor/tensor.js';
import { adversarial } from '../../src/training/objectives/adversarial.js';
import { free } from '../../src/training/objectives/free.js';
import { mart } from '../../src/training/objectives/mart.js';
import { adversarialCrossEntropy, clean, type Objective } from '../../src/training/objectives/objective.js';
import { RecordedAttack } from '../../src/training/objectives/recorded-attack.js';
import { trades } from '../../src/training/objectives/trades.js';
import { perturb } from '../../src/training/objectives/training-attack.js';
import { firstPlace, freeOptions, objectives, pgd, randomBatch, tinyModel } from '../support/objectives.js';
import { assertAlike, device, isCard, relativeDifference } from '../support/test-device.js';
import { outcome, tinyRecipe, writeTinyMnist } from '../support/tiny-run.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-cuda-training-'));
after(() => rmSync(folder, { recursive: true }));
const mnist = join(folder, 'mnist');
writeTinyMnist(mnist);

const batchOn = (where: string, dtype: Dtype): Batch => {
  const { x, labels, ids } = randomBatch(dtype);
  return { x: x.toDevice(where), labels: labels.toDevice(where), ids };
};

/** Loss and accuracy of one step, and all its gradients together, whose largest is the measure of rounding. */
function stepOn(where: string, dtype: Dtype, make: () => Objective): Tensor[] {
  using model = tinyModel(dtype);
  model.network.moveTo(where);
  using objective = make();
  const { gradients, loss, accuracy, restore } = objective.computeGradients(
    model,
    batchOn(where, dtype),
    firstPlace,
  );
  restore?.();
  return [loss, accuracy, cat(gradients.map((each) => each.flatten()))];
}

describe(`an objective on ${device}`, () => {
  // A sign that rounding turns moves a pixel by a whole step: float64 has no such pixels here.
  for (const [name, make] of Object.entries(objectives))
    it(`is the CPU's in float64: ${name}`, () =>
      scope(() => assertAlike(name, stepOn(device, 'float64', make), stepOn('cpu', 'float64', make), 1e-9)));

  const start = { ...pgd, steps: 0 };
  const losses: Readonly<Record<string, () => Objective>> = {
    clean: () => clean({ labelSmoothing: 0.1 }),
    'cross-entropy at the start of the attack': () =>
      adversarial({ attack: start, loss: adversarialCrossEntropy(0.1) }),
    TRADES: () => adversarial({ attack: start, loss: trades({ beta: 6, labelSmoothing: 0 }) }),
    MART: () => adversarial({ attack: start, loss: mart({ beta: 5 }) }),
    Free: () => free(freeOptions),
    AWP: () => adversarial({ attack: start, awp: { gamma: 0.01, warmup: 0 } }),
  };
  for (const [name, make] of Object.entries(losses))
    it(`is the CPU's to 1e-5 in float32 on the same images: ${name}`, () =>
      scope(() => assertAlike(name, stepOn(device, 'float32', make), stepOn('cpu', 'float32', make))));

  it('attacks as the CPU does, but for pixels whose gradient is about 0', (context) =>
    scope(() => {
      const at = (where: string) => {
        using model = tinyModel('float32');
        model.network.moveTo(where);
        return perturb(model, batchOn(where, 'float32'), { ...pgd, steps: 5 }, firstPlace).numbers();
      };
      const [found, expected] = [at(device), at('cpu')];
      const apart = expected.filter((pixel, index) => Math.abs(pixel - found[index]!) > 1e-5).length;
      context.diagnostic(`${apart} of ${expected.length} pixels differ`);
      assert.ok(apart / expected.length < 0.01);
    }));
});

const recipeOf = (training: Readonly<Record<string, unknown>>): Recipe => {
  const { training: usual, ...rest } = tinyRecipe(mnist);
  const { attack: _, ...common } = usual;
  const short = { epochs: 1, epochSteps: 8, schedule: { name: 'constant', learningRate: 0.02 } };
  return parseRecipe({ ...rest, training: { ...common, ...short, ...training } }, 'the recipe');
};
const train = (recipe: Recipe, name: string, stopAfter = Number.POSITIVE_INFINITY) => {
  let asked = 0;
  const interrupted = () => asked++ >= stopAfter;
  const path = join(folder, name);
  return trainRun({ recipe, path, resume: true, device, interrupted, onEvent: () => {} });
};

describe(`a run on ${device}`, () => {
  const runs: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    clean: { objective: 'clean' },
    pgd: { objective: 'pgd', attack: { steps: 2 }, ema: { decay: 0.9 }, clipNorm: 1 },
    fast: { objective: 'fast', gradAlign: { weight: 0.2 } },
    free: { objective: 'free', attack: { replays: 2 } },
    sat: { objective: 'sat', attack: { steps: 1 }, optimizer: { name: 'adamw' } },
    trades: { objective: 'trades', attack: { steps: 2 }, awp: { gamma: 0.005, warmup: 0 } },
    mart: { objective: 'mart', attack: { steps: 2 }, accumulate: 2 },
    'gradient-norm': { objective: 'gradient-norm', penaltyWarmup: 0.5 },
  };
  for (const [name, training] of Object.entries(runs))
    it(`trains, and resumes to the bit: ${name}`, async () => {
      const recipe = recipeOf({ ...training, checkpointEvery: 2 });
      await train(recipe, `${name}-whole`);
      await assert.rejects(train(recipe, `${name}-cut`, 4), InterruptedError);
      await train(recipe, `${name}-cut`);
      assert.deepEqual(outcome(join(folder, `${name}-cut`)), outcome(join(folder, `${name}-whole`)));
      const steps = readEvents(join(folder, `${name}-whole`)).filter(({ type }) => type === 'step');
      assert.ok(steps.length >= 4);
    });

  for (const precision of isCard ? ['tf32', 'bfloat16'] : ['bfloat16'])
    it(`trains in ${precision}`, async () => {
      await train(recipeOf({ objective: 'pgd', attack: { steps: 2 }, precision }), precision);
      const losses = readEvents(join(folder, precision)).flatMap((event) =>
        event.type === 'step' ? [event.loss] : [],
      );
      assert.ok(losses.length > 0 && losses.every(Number.isFinite));
    });
});

describe(`the attack of a training step on ${device}`, () => {
  it('is the same recorded and step by step', { skip: !isCard && 'only a card records' }, () =>
    scope(() => {
      using model = tinyModel('float32');
      model.network.moveTo(device);
      using recorded = new RecordedAttack(pgd);
      const batch = batchOn(device, 'float32');
      for (let step = 0; step < 5; step++) {
        const context = { ...firstPlace, step };
        const [replayed, eager] = [
          recorded.perturb(model, batch, context),
          perturb(model, batch, pgd, context),
        ];
        assert.ok(relativeDifference(replayed.numbers(), eager.numbers()) < 1e-6, `step ${step}`);
        // The weights change in place, and the recording has to see it.
        for (const parameter of model.network.parameters().values()) parameter.detach().mul_(0.9);
      }
    }),
  );
});
