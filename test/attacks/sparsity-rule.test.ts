/** APGD in L1 takes the steps of the reference implementation, which scripts/golden ran in float64. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ApgdCheckpoint, apgd } from '../../src/attacks/apgd.js';
import { runToEnd } from '../../src/attacks/attack-generator.js';
import { attackLosses, targetsOfRank } from '../../src/attacks/losses.js';
import { norms } from '../../src/attacks/norms.js';
import { shrinkingApgd, shrinkingPhases } from '../../src/attacks/shrinking-apgd.js';
import { sparsityRule } from '../../src/attacks/sparsity-rule.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { integers } from '../../src/tensor/create.js';
import { scope } from '../../src/tensor/scope.js';
import { assertClose } from '../support/close.js';
import { fromGolden } from '../support/golden.js';
import { type L1Run, l1Golden } from '../support/l1-traces.js';
import { golden, network } from '../support/reference-traces.js';

setThreads(1);

const close = { relative: 1e-8, absolute: 1e-9 };

/** What Satin does where the reference did `run`; of a shrinking run all that its last phase shows. */
function follow(run: L1Run) {
  const classify = network('float64');
  const x = fromGolden(golden.images, 'float64');
  const labels = integers(golden.labels);
  const radius = run.shrinking ? 3 * run.epsilon : run.epsilon;
  const start = norms.l1.project(x.add(fromGolden(l1Golden.noise, 'float64')), x, radius);
  const checkpoints: { step: number; stepSize: number[]; bestLoss: number[]; restarted: boolean[] }[] = [];
  const trace = ({ step, stepSize, bestLoss, restarted }: ApgdCheckpoint) =>
    checkpoints.push({
      step,
      stepSize: [...stepSize.numbers()],
      bestLoss: [...bestLoss.numbers()],
      restarted: [...restarted.numbers()].map((each) => each !== 0),
    });
  const iterates: Float64Array[] = [];
  const losses: number[][] = [];
  const broken = golden.labels.map(() => false);
  const targets = run.rank === 0 ? labels : targetsOfRank(classify(x), labels, run.rank);
  const search = run.shrinking ? shrinkingApgd : apgd;
  const best = runToEnd(
    search(
      classify,
      { x, labels, targets, start },
      { norm: norms.l1, epsilon: run.epsilon, steps: run.steps, loss: attackLosses[run.loss], trace },
      ({ x: point, logits }) => {
        iterates.push(point.numbers());
        losses.push([...attackLosses[run.loss](logits, labels, targets).numbers()]);
        [...logits.argmax(1).numbers()].forEach((label, row) => {
          broken[row] ||= label !== golden.labels[row];
        });
        return null;
      },
    ),
  );
  return { checkpoints, iterates: iterates.slice(1), losses: losses.slice(1), broken, best: best.numbers() };
}

describe('APGD in L1', () => {
  for (const run of l1Golden.apgd)
    it(`moves, resets and restarts as the reference: ${run.loss}, rank ${run.rank}, ${run.steps} steps${run.shrinking ? ', from a larger ball' : ''}`, () =>
      scope(() => {
        assert.ok(run.firm.every(Boolean), 'no run hangs on rounding');
        const found = follow(run);
        const last = run.phases.at(-1)!;
        const expected = run.phases.flatMap(({ checkpoints }) => checkpoints);
        assert.deepEqual(
          found.checkpoints.map(({ step, restarted }) => ({ step, restarted })),
          expected.map(({ step, restarted }) => ({ step, restarted })),
        );
        for (const [at, { step, stepSize, bestLoss }] of expected.entries()) {
          assertClose(
            found.checkpoints[at]!.stepSize,
            stepSize,
            { relative: 1e-14, absolute: 0 },
            `step ${step}`,
          );
          assertClose(found.checkpoints[at]!.bestLoss, bestLoss, close, `best loss at checkpoint ${at}`);
        }
        assert.equal(found.losses.length, last.losses.length);
        for (const [step, losses] of last.losses.entries())
          assertClose(found.losses[step]!, losses, close, `loss of step ${step + 1}`);
        for (const [step, iterate] of (last.iterates ?? []).entries())
          assertClose(found.iterates[step]!, iterate.values, close, `iterate ${step + 1}`);
        assertClose(found.best, run.best.values, close, 'point of the highest loss');
        assert.deepEqual(found.broken, run.broken);
      }));

  it('has runs of both kinds in the traces, with iterates, restarts and examples that stand', () => {
    for (const shrinking of [false, true]) {
      const runs = l1Golden.apgd.filter((run) => run.shrinking === shrinking);
      assert.ok(runs.some(({ phases }) => phases.at(-1)!.iterates !== null));
      assert.ok(runs.some(({ broken }) => broken.includes(false) && broken.includes(true)));
    }
  });

  it('looks at its step every 4 % of the steps', () => {
    assert.deepEqual([...sparsityRule.checkpoints(100)].slice(0, 3), [4, 8, 12]);
    assert.equal(sparsityRule.checkpoints(100).size, 25);
    assert.deepEqual([...sparsityRule.checkpoints(3)], [1, 2, 3]);
  });

  it('shrinks the ball after 30 and 60 of 100 steps', () => {
    assert.deepEqual(shrinkingPhases(100), [
      { radius: 3, steps: 30 },
      { radius: 2, steps: 30 },
      { radius: 1, steps: 40 },
    ]);
    for (const steps of [0, 1, 2, 3, 7]) {
      const counts = shrinkingPhases(steps).map((phase) => phase.steps);
      assert.ok(counts.every((each) => each >= 0));
      assert.equal(
        counts.reduce((sum, each) => sum + each, 0),
        steps,
      );
    }
  });
});
