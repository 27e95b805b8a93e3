/** Honest networks raise no flag with the full checks either: ReLU and SiLU, three seeds, trained plainly and robustly, in all norms. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { evaluateRun } from '../../../../src/app/evaluate/evaluate-run.js';
import { attackableModel } from '../../../../src/app/model/open-model.js';
import { norms } from '../../../../src/attacks/norms.js';
import { subset } from '../../../../src/data/dataset.js';
import { setThreads } from '../../../../src/engine/engine-info.js';
import { adversarial } from '../../../../src/training/objectives/adversarial.js';
import { clean } from '../../../../src/training/objectives/objective.js';
import { blobs, smallModel, training } from '../../../support/blobs.js';

setThreads(1);

const places = (first: number, count: number) => Array.from({ length: count }, (_, at) => first + at);
const whole = blobs(896 + 160);
const learned = subset(whole, places(0, 896));
const held = subset(whole, places(896, 64));
const attack = {
  norm: norms.linf,
  epsilon: 0.02,
  steps: 1,
  stepSize: 0.02,
  start: { kind: 'uniform' },
  batchNorm: 'eval',
} as const;

describe('an honest network, checked in full,', () => {
  for (const activation of ['relu', 'silu'])
    for (const seed of [1, 2, 3])
      for (const robust of [false, true])
        it(`raises no flag: ${activation}, seed ${seed}, ${robust ? 'robustly' : 'plainly'} trained`, async () => {
          using model = smallModel(whole, { activation, seed });
          {
            using warm = training(model, learned, clean());
            for (let step = 0; step < 56; step++) warm.step();
            if (robust) {
              using steps = training(model, learned, adversarial({ attack }));
              for (let step = 0; step < 84; step++) steps.step();
            }
          }
          for (const { norm, epsilon, attacks } of [
            { norm: 'linf', epsilon: 0.02, attacks: ['apgd-ce', 'apgd-t', 'square'] },
            { norm: 'l2', epsilon: 0.25, attacks: ['pgd-20'] },
            { norm: 'l1', epsilon: 2, attacks: ['pgd-20'] },
          ] as const) {
            const { result } = await evaluateRun({
              model: attackableModel(model, { name: 'honest', digest: 'sha256:0' }),
              data: held,
              attacks,
              norm,
              epsilon: { epsilon, epsilonText: `${epsilon}` },
              seed: 0,
              batch: 64,
              checks: 'full',
              interrupted: () => false,
            });
            assert.ok(result.clean > 0.7, `clean ${result.clean}`);
            assert.deepEqual(result.flags, [], norm);
          }
        });
});
