/** The attacks of AutoAttack take the steps of the reference implementation, which scripts/golden ran in float64. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ApgdCheckpoint, apgd, checkpointsOf } from '../../src/attacks/apgd.js';
import { runToEnd } from '../../src/attacks/attack-generator.js';
import { fab } from '../../src/attacks/fab.js';
import { type AttackLossName, attackLosses, targetsOfRank } from '../../src/attacks/losses.js';
import { type NormName, norms } from '../../src/attacks/norms.js';
import { stepToHyperplane } from '../../src/attacks/projection.js';
import { bumpProfile, changeWindows } from '../../src/attacks/square/l2.js';
import { changeSquare } from '../../src/attacks/square/linf.js';
import { squareSide } from '../../src/attacks/square/square.js';
import { either, type SquareWindow } from '../../src/attacks/square/window.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { integers, tensor } from '../../src/tensor/create.js';
import { scope } from '../../src/tensor/scope.js';
import type { Dtype } from '../../src/tensor/tensor.js';
import { assertClose } from '../support/close.js';
import { fromGolden, type GoldenTensor, readGolden } from '../support/golden.js';
import { attackedNetwork } from '../support/golden-networks.js';

setThreads(1);

interface Checkpoint {
  readonly step: number;
  readonly stepSize: readonly number[];
  readonly bestLoss: readonly number[];
  readonly restarted: readonly boolean[];
}

const golden = readGolden<{
  weights: Readonly<Record<string, GoldenTensor>>;
  images: GoldenTensor;
  labels: readonly number[];
  directions: Readonly<Record<NormName, GoldenTensor>>;
  planes: { readonly x: GoldenTensor; readonly w: GoldenTensor; readonly excess: GoldenTensor };
  apgd: readonly {
    readonly norm: NormName;
    readonly epsilon: number;
    readonly loss: AttackLossName;
    readonly rank: number;
    readonly steps: number;
    readonly checkpoints: readonly Checkpoint[];
    readonly broken: readonly boolean[];
    /** Examples whose checkpoints do not hang on rounding. */
    readonly firm: readonly boolean[];
  }[];
  projections: readonly { readonly norm: NormName; readonly step: GoldenTensor }[];
  fab: readonly {
    readonly norm: NormName;
    readonly rank: number;
    readonly steps: number;
    readonly nearest: readonly (readonly (number | null)[])[];
  }[];
  squareSchedules: readonly {
    readonly norm: NormName;
    readonly height: number;
    readonly width: number;
    readonly sides: readonly (readonly [side: number, count: number])[];
  }[];
  squareBumps: readonly { readonly side: number; readonly bump: GoldenTensor }[];
  squareMoves: readonly {
    readonly norm: NormName;
    readonly epsilon: number;
    readonly side: number;
    readonly x: GoldenTensor;
    readonly start: GoldenTensor;
    readonly queries: readonly {
      readonly places: readonly number[];
      readonly signs: GoldenTensor;
      readonly flipped: boolean | null;
      readonly image: GoldenTensor;
    }[];
  }[];
}>('autoattack');

const network = (dtype: Dtype) => attackedNetwork(golden.weights, dtype);

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

  it('looks at its step after 22, 41, 57, 70, 80, 87, 93 and 99 of 100 steps', () => {
    assert.deepEqual([...checkpointsOf(100)], [22, 41, 57, 70, 80, 87, 93, 99]);
    assert.deepEqual([...checkpointsOf(3)], [1, 2, 3]);
  });
});

describe('the projection onto a hyperplane in the box', () => {
  for (const { norm, step } of golden.projections)
    for (const [dtype, absolute] of [
      ['float64', 1e-12],
      ['float32', 1e-6],
    ] as const)
      it(`is the reference's, within reach and beyond: ${norm}, ${dtype}`, () =>
        scope(() => {
          const [x, w, excess] = [golden.planes.x, golden.planes.w, golden.planes.excess].map((each) =>
            fromGolden(each, dtype),
          );
          const found = stepToHyperplane(norm, x!, { w: w!, excess: excess! });
          assertClose(found.numbers(), step.values, { relative: 0, absolute }, 'step');
        }));

  for (const norm of ['linf', 'l2'] as const)
    it(`stays where the gradient is 0 or the plane goes through the image: ${norm}`, () =>
      scope(() => {
        const x = fromGolden(golden.planes.x, 'float32');
        const excess = fromGolden(golden.planes.excess, 'float32');
        const w = fromGolden(golden.planes.w, 'float32');
        const still = (found: Float64Array) => assert.ok(found.every((each) => each === 0));
        still(stepToHyperplane(norm, x, { w: w.mul(0), excess }).numbers());
        still(stepToHyperplane(norm, x, { w, excess: excess.mul(0) }).numbers());
      }));
});

describe('FAB', () => {
  for (const { norm, rank, steps, nearest } of golden.fab)
    it(`comes as near as the reference, step by step: ${norm}, ${rank === 0 ? 'nearest class' : `rank ${rank}`}`, () =>
      scope(() => {
        const classify = network('float64');
        const x = fromGolden(golden.images, 'float64');
        const labels = integers(golden.labels);
        const seen: number[][] = [];
        const search = fab(
          classify,
          { x, labels, start: x, ...(rank > 0 && { targets: targetsOfRank(classify(x), labels, rank) }) },
          {
            norm: norms[norm],
            epsilon: 0,
            steps,
            trace: (found) => seen.push([...found.numbers()]),
          },
        );
        const last = runToEnd(search).numbers();
        assert.equal(seen.length, steps);
        for (const [step, expected] of nearest.entries())
          assertClose(
            seen[step]!,
            expected.map((each) => each ?? Number.POSITIVE_INFINITY),
            { relative: 1e-8, absolute: 1e-10 },
            `step ${step + 1}`,
          );
        assert.deepEqual([...last], seen.at(-1));
        assert.ok(last.some(Number.isFinite));
      }));
});

describe('Square', () => {
  for (const { norm, height, width, sides } of golden.squareSchedules)
    it(`changes squares of the reference's size, query by query: ${norm}, ${height} x ${width}`, () => {
      const expected = sides.flatMap(([side, count]) => Array.from({ length: count }, () => side));
      assert.equal(expected.length, 5000);
      const found = expected.map((_, query) => squareSide(query, { height, width, norm }));
      assert.deepEqual(found, expected);
    });

  it('in L2 uses the bumps of the reference', () => {
    for (const { side, bump } of golden.squareBumps)
      assertClose(bumpProfile(side), bump.values, { relative: 0, absolute: 1e-14 }, `side ${side}`);
  });

  for (const { norm, epsilon, side, x: image, start, queries } of golden.squareMoves)
    it(`with the reference's draws makes the reference's images: ${norm}`, () =>
      scope(() => {
        const x = fromGolden(image, 'float64');
        const place = (at: number) => integers([at, at]).reshape([2, 1, 1, 1]);
        const window = (top: number, left: number): SquareWindow => ({
          side,
          top: place(top),
          left: place(left),
        });
        let best = fromGolden(start, 'float64');
        assert.equal(queries.length, 4);
        for (const { places, signs: stored, flipped, image: expected } of queries) {
          const signs = fromGolden(stored, 'float64');
          const [top, left, otherTop, otherLeft] = places as [number, number, number, number];
          if (norm === 'linf')
            best = changeSquare({ x, best }, { window: window(top, left), signs, epsilon });
          else {
            const upright = tensor(Float64Array.from(bumpProfile(side)), [side, side]);
            const coin = integers([flipped ? 0 : 1, flipped ? 0 : 1])
              .ne(0)
              .reshape([2, 1, 1, 1]);
            const bump = either(coin, upright, upright.transpose(0, 1)).mul(signs);
            const windows = { to: window(top, left), from: window(otherTop, otherLeft) };
            best = changeWindows({ x, best }, { ...windows, bump, epsilon });
          }
          assertClose(best.numbers(), expected.values, { relative: 0, absolute: 1e-12 }, 'image');
        }
      }));
});
