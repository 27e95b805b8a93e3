/** Free adversarial training: its noise lives from step to step. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { norms } from '../../../src/attacks/norms.js';
import { memoryInfo, setThreads } from '../../../src/engine/engine-info.js';
import { InputError } from '../../../src/errors.js';
import type { Model } from '../../../src/models/model.js';
import { crossEntropy } from '../../../src/nn/losses.js';
import { gradient, noGrad } from '../../../src/tensor/gradient.js';
import { scope } from '../../../src/tensor/scope.js';
import type { Tensor } from '../../../src/tensor/tensor.js';
import { free } from '../../../src/training/objectives/free.js';
import type { Objective } from '../../../src/training/objectives/objective.js';
import { Sgd } from '../../../src/training/optimizers/sgd.js';
import { firstPlace, freeOptions, numbersOf, randomBatch, tinyModel } from '../../support/objectives.js';

setThreads(1);

const { epsilon } = freeOptions;
const noiseOf = (objective: Objective, name = 'noise') => objective.state().get(name)!.numbers();

function step(model: Model, objective: Objective, at: number, optimizer?: Sgd): number {
  return scope(() => {
    const learned = objective.computeGradients(model, randomBatch('float32'), { ...firstPlace, step: at });
    optimizer?.step(learned.gradients, 0.1);
    return learned.loss.item();
  });
}

describe('Free adversarial training', () => {
  it('begins at the images and moves its noise by the sign of the gradient where the box does not cut', () => {
    using model = tinyModel('float64');
    using objective = free({ ...freeOptions, stepSize: 0.3 * epsilon, labelSmoothing: 0 });
    assert.equal(objective.replays, 2);
    scope(() => {
      const batch = randomBatch('float64');
      const slopeAt = (noise: Tensor) => {
        const point = noise.detach().requireGrad_();
        const images = batch.x.add(point).clamp(0, 1);
        const logits = model.forward(images, { train: true, keepStatistics: true });
        return gradient(crossEntropy(logits, batch.labels), point);
      };
      const first = slopeAt(batch.x.mul(0))
        .sign()
        .mul(0.3 * epsilon);
      objective.computeGradients(model, batch, firstPlace);
      assert.deepEqual(noiseOf(objective), first.numbers());
      const second = first.add(
        slopeAt(first)
          .sign()
          .mul(0.3 * epsilon),
      );
      assert.ok(slopeAt(first).eq(0).to('float32').sum().item() > 0, 'the box cuts somewhere');
      objective.computeGradients(model, batch, { ...firstPlace, step: 1 });
      assert.deepEqual(noiseOf(objective), second.numbers());
    });
  });

  it('never leaves the ball, which grows with the warm-up from the first step on', () => {
    using model = tinyModel('float32');
    using objective = free({ ...freeOptions, epsilonWarmup: 2 });
    for (let at = 0; at < 12; at++) {
      step(model, objective, at);
      const most = Math.max(...noiseOf(objective).map(Math.abs));
      const ball = epsilon * Math.min(1, (at + 1) / 10);
      assert.ok(most <= ball * (1 + 1e-6) && most >= 0.99 * ball, `step ${at}: ${most}`);
    }
  });

  it('goes on from a kept state as if it had never stopped, to the bit', () => {
    const options = { momentum: 0.9, nesterov: true, weightDecay: 5e-4 };
    using model = tinyModel('float32');
    using objective = free(freeOptions);
    using optimizer = new Sgd(model.network.parameters(), options);
    for (let at = 0; at < 3; at++) step(model, objective, at, optimizer);

    using twin = tinyModel('float32');
    noGrad(() => {
      for (const [name, each] of twin.network.state()) each.copy_(model.network.state().get(name)!);
    });
    using resumed = free(freeOptions);
    using again = new Sgd(twin.network.parameters(), options);
    again.restore(optimizer.state());
    resumed.restore(objective.state());
    assert.deepEqual([...objective.state().keys()], ['noise']);
    for (let at = 3; at < 7; at++)
      assert.equal(step(twin, resumed, at, again), step(model, objective, at, optimizer), `step ${at}`);
    assert.deepEqual(noiseOf(resumed), noiseOf(objective));
    assert.deepEqual(numbersOf(twin.network.state()), numbersOf(model.network.state()));
  });

  it('without its noise goes another way', () => {
    using model = tinyModel('float32');
    using objective = free(freeOptions);
    const first = step(model, objective, 0);
    const second = step(model, objective, 1);
    assert.ok(second > first, `${first}, ${second}`);
    objective.restore(new Map());
    assert.equal(step(model, objective, 0), first);
  });

  it('keeps its noise where the loss is no number', () => {
    using model = tinyModel('float32');
    using objective = free(freeOptions);
    step(model, objective, 0);
    const before = noiseOf(objective);
    noGrad(() => model.network.parameters().get('linear.bias')!.mul_(Number.POSITIVE_INFINITY));
    assert.ok(Number.isNaN(step(model, objective, 1)));
    assert.deepEqual(noiseOf(objective), before);
  });

  it('has a noise for each part of a batch', () => {
    using model = tinyModel('float32');
    using objective = free(freeOptions);
    for (const part of [0, 1])
      scope(() => {
        const count = 6 - 2 * part;
        objective.computeGradients(model, randomBatch('float32', count), { ...firstPlace, part });
      });
    assert.deepEqual([...objective.state().keys()], ['noise', 'noise.1']);
    assert.equal(objective.state().get('noise.1')!.dimension(0), 4);
  });

  it('holds one tensor and frees it at the end', () => {
    const before = memoryInfo().liveTensors;
    {
      using model = tinyModel('float32');
      const idle = memoryInfo().liveTensors;
      using objective = free(freeOptions);
      for (let at = 0; at < 3; at++) {
        step(model, objective, at);
        assert.equal(memoryInfo().liveTensors, idle + 1);
      }
    }
    assert.equal(memoryInfo().liveTensors, before);
  });

  it('refuses another norm, replays that are no count, a batch of another size and a state of another kind', () => {
    const refuses = (body: () => void, message: RegExp) =>
      assert.throws(body, (error) => error instanceof InputError && message.test(error.message));
    refuses(() => free({ ...freeOptions, norm: norms.l2 }), /Expected linf for the norm of free/);
    for (const replays of [0, 1.5, Number.NaN])
      refuses(() => free({ ...freeOptions, replays }), /Expected a whole number of at least 1/);
    using model = tinyModel('float32');
    using objective = free(freeOptions);
    step(model, objective, 0);
    scope(() => {
      const smaller = randomBatch('float32', 4);
      refuses(
        () => objective.computeGradients(model, smaller, firstPlace),
        /Expected batches of the shape of the noise, \[6,2,8,8\], for free but received \[4,2,8,8\]\./,
      );
      refuses(
        () => objective.restore(new Map([['velocity', smaller.x]])),
        /Expected noise for the state of free/,
      );
    });
  });
});
