/** APGD takes the steps of the reference implementation, which scripts/golden ran in float64. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ApgdCheckpoint, apgd } from '../../src/attacks/apgd.js';
import { runToEnd } from '../../src/attacks/attack-generator.js';
import { attackLosses, targetsOfRank } from '../../src/attacks/losses.js';
import { norms } from '../../src/attacks/norms.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { integers } from '../../src/tensor/create.js';
import { scope } from '../../src/tensor/scope.js';
import { assertClose } from '../support/close.js';
import { fromGolden } from '../support/golden.js';
import { type Checkpoint, golden, network } from '../support/reference-traces.js';

setThreads(1);

describe('APGD', () => {
  for (const run of golden.apgd)
    it(`halves, restarts and climbs as the reference: ${run.norm}, ${run.loss}, rank ${run.rank}, ${run.steps} steps`, () =>
      scope(() => {
        const classify = network('float64');
        const x = fromGolden(golden.images, 'float64');
        const labels = integers(golden.labels);
        const targets = run.rank === 0 ? labels : targetsOfRank(classify(x), labels, run.rank);
        const direction = fromGolden(golden.directions[run.norm], 'float64');
        const seen: Checkpoint[] = [];
        const trace = ({ step, stepSize, bestLoss, restarted }: ApgdCheckpoint) =>
          seen.push({
            step,
            stepSize: [...stepSize.numbers()],
            bestLoss: [...bestLoss.numbers()],
            restarted: [...restarted.numbers()].map((each) => each !== 0),
          });
        const broken = golden.labels.map(() => false);
        runToEnd(
          apgd(
            classify,
            { x, labels, targets, start: x.add(direction.mul(run.epsilon)).clamp(0, 1) },
            { ...run, norm: norms[run.norm], loss: attackLosses[run.loss], trace },
            ({ logits }) => {
              [...logits.argmax(1).numbers()].forEach((label, row) => {
                broken[row] ||= label !== golden.labels[row];
              });
              return null;
            },
          ),
        );
        assert.ok(run.checkpoints.length >= 5);
        const firm = <Each>(values: readonly Each[]) => values.filter((_, row) => run.firm[row]);
        assert.ok(firm(run.broken).length >= 3);
        const decisions = (checkpoints: readonly Checkpoint[]) =>
          checkpoints.map(({ step, restarted }) => ({ step, restarted: firm(restarted) }));
        assert.deepEqual(decisions(seen), decisions(run.checkpoints));
        for (const [at, { step, stepSize, bestLoss }] of run.checkpoints.entries()) {
          const [size, best] = [firm(seen[at]!.stepSize), firm(seen[at]!.bestLoss)];
          assertClose(size, firm(stepSize), { relative: 1e-14, absolute: 0 }, `step ${step}`);
          const tolerance = { relative: 1e-9, absolute: 1e-9 };
          assertClose(best, firm(bestLoss), tolerance, `best loss at step ${step}`);
        }
        assert.deepEqual(firm(broken), firm(run.broken));
      }));
});
