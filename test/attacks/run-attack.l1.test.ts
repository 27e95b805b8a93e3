/** Every point that an attack in L1 shows lies in ball and box, by distances added up in float64; those of larger balls are not shown. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseAttack } from '../../src/attacks/attack.js';
import { norms } from '../../src/attacks/norms.js';
import { runAttack } from '../../src/attacks/run-attack.js';
import { setThreads } from '../../src/engine/engine-info.js';
import type { Classifier } from '../../src/nn/classifier.js';
import { integers } from '../../src/tensor/create.js';
import { linear } from '../../src/tensor/functional.js';
import { noise } from '../../src/tensor/noise.js';
import { scope } from '../../src/tensor/scope.js';
import { distances } from '../support/ball.js';

setThreads(1);

const ids = [0, 1, 2, 3];
const shape = [3, 32, 32];

describe('a point of an attack in L1', () => {
  for (const epsilon of [0, 0.01, 12, 400])
    for (const [name, steps] of [
      ['fgsm', 1],
      ['pgd-10', 10],
      ['apgd-ce', 10],
      ['apgd-ce-large', 10],
      ['apgd-t-large', 10],
      ['fab-t', 5],
      ['square', 30],
    ] as const)
      it(`lies in ball and box: ${name}, ε = ${epsilon}`, () =>
        scope(() => {
          const draw = (epoch: number, of: readonly number[], rows: readonly number[]) =>
            noise('normal', { key: { seed: 2, stream: 'bench', epoch }, ids: rows, shape: of });
          const weights = draw(1, [3 * 32 * 32], [0, 1, 2, 3, 4]);
          const inner = draw(2, [5], [0, 1, 2, 3, 4]);
          const classify: Classifier = (x) => linear(linear(x.flatten(1), weights).mul(0.05).tanh(), inner);
          // A third of the pixels at a wall.
          const x = draw(3, shape, ids).mul(0.5).add(0.5).clamp(0, 1);
          const labels = classify(x).argmax(1);
          const attack = { ...parseAttack(name), steps };
          const isTargeted = 'targets' in attack && attack.targets > 0;
          const targets = isTargeted ? integers([...labels.numbers()].map((label) => (label + 1) % 5)) : null;
          let [shown, moved] = [0, 0];
          const search = runAttack(
            attack,
            classify,
            { x, labels, ids, targets },
            {
              threat: { norm: norms.l1, epsilon },
              seed: 0,
              round: { restart: 0, rank: isTargeted ? 1 : 0 },
              observe: ({ x: points, within }) => {
                const isWithin = within?.numbers();
                const lengths = distances('l1', points, x);
                for (const [row, length] of lengths.entries()) {
                  if (isWithin?.[row] === 0) continue;
                  assert.ok(length <= norms.l1.allowed(epsilon), `${length}`);
                  // The tolerance is for FAB, which measures in float32; the projection needs none.
                  if (name !== 'fab-t') assert.ok(length <= epsilon * (1 + 1e-9), `${length}`);
                  shown += 1;
                  moved = Math.max(moved, length);
                }
                assert.ok(points.numbers().every((pixel) => pixel >= 0 && pixel <= 1));
                return null;
              },
            },
          );
          for (const _ of search);
          if (name === 'fab-t') return; // few of its points are within ε
          assert.ok(shown >= 4);
          assert.ok(moved > Math.min(0.5 * epsilon, 10) || epsilon === 0, `at most ${moved}`);
          if (epsilon === 0) assert.equal(moved, 0);
        }));
});
