/** What a graphics card would have to wait for: reads by the CPU, by whatever way, on the mock device that counts them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseAttack } from '../../src/attacks/attack.js';
import { norms } from '../../src/attacks/norms.js';
import { runAttack } from '../../src/attacks/run-attack.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { native } from '../../src/engine/native.js';
import { Watch } from '../../src/evaluation/watch.js';
import { integers } from '../../src/tensor/create.js';
import { noise } from '../../src/tensor/noise.js';
import { scope } from '../../src/tensor/scope.js';
import { clipNorm } from '../../src/training/optimizers/clip.js';
import { Sgd } from '../../src/training/optimizers/sgd.js';
import { firstPlace, objectives, randomBatch, tinyModel } from '../support/objectives.js';

process.env.SATIN_MOCK_DEVICE = '1';
setThreads(1);

/** Reads of tensors on the mock device while `body` runs. */
function readsOf(body: () => void): number {
  const before = native().mockReadCount();
  body();
  return native().mockReadCount() - before;
}

describe('a training step reads nothing from the device', () => {
  for (const [name, make] of Object.entries(objectives))
    it(name, () => {
      using objective = make();
      using model = tinyModel('float32');
      model.network.moveTo('mock');
      using optimizer = new Sgd(model.network.parameters(), {
        momentum: 0.9,
        nesterov: true,
        weightDecay: 5e-4,
      });
      const onCpu = randomBatch('float32');
      const batch = { ...onCpu, x: onCpu.x.toDevice('mock'), labels: onCpu.labels.toDevice('mock') };
      for (let step = 0; step < 3; step++)
        assert.equal(
          readsOf(() =>
            scope(() => {
              const { gradients, restore } = objective.computeGradients(model, batch, {
                ...firstPlace,
                step,
              });
              clipNorm(gradients, 1);
              optimizer.step(gradients, 0.1);
              restore?.();
            }),
          ),
          0,
          `step ${step}`,
        );
    });
});

describe('an iteration of an attack reads nothing from the device', () => {
  const cases = ['fgsm', 'pgd-6', 'apgd-ce', 'apgd-dlr', 'apgd-t', 'fab', 'fab-t', 'square'];
  for (const norm of ['linf', 'l2', 'l1'] as const)
    for (const name of norm === 'l1' ? [...cases, 'apgd-ce-large', 'apgd-t-large'] : cases)
      it(`${name}, ${norm}`, () => {
        using model = tinyModel('float32');
        model.network.moveTo('mock');
        using folded = model.fold();
        const attack = { ...parseAttack(name), steps: name === 'square' ? 60 : 6 };
        using watch = new Watch({ every: Number.POSITIVE_INFINITY, confirm: () => assert.fail('a check') });
        scope(() => {
          const ids = [0, 1, 2, 3];
          const labels = integers([0, 1, 2, 3], 'mock');
          const x = noise('uniform', {
            key: { seed: 1, stream: 'bench' },
            ids,
            shape: [2, 8, 8],
            device: 'mock',
          });
          const isTargeted = 'targets' in attack && attack.targets > 0;
          const examples = { x, labels, ids, targets: isTargeted ? integers([1, 2, 3, 0], 'mock') : null };
          const threat = { norm: norms[norm], epsilon: 0.05 };
          const round = { restart: 0, rank: isTargeted ? 1 : 0 };
          const reads = readsOf(() => {
            for (const _ of runAttack(attack, folded.classify, examples, {
              threat,
              seed: 0,
              round,
              observe: watch.observe,
            }));
          });
          assert.equal(reads, 0);
        });
      });
});
