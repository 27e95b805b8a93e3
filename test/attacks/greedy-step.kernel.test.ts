/** The kernel of the smallest step in L1 to a hyperplane, against its twin of libtorch's operators and against what it must reach. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { composedGreedyStep, greedyStep } from '../../src/attacks/greedy-step.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { where } from '../../src/tensor/create.js';
import { scope } from '../../src/tensor/scope.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { assertReachesPlanes } from '../support/assert-reaches-planes.js';
import { assertAlike, assertSteady, batch, drawn, drawnImages, imageShapes } from '../support/kernel-twin.js';

setThreads(1);

/** One rounding of a step that is no longer than 1. */
const rounding = { relative: 0, absolute: 2 ** -24 };

describe('the kernel of the smallest step in L1 to a hyperplane', () => {
  for (const shape of imageShapes)
    it(`agrees with its twin to one rounding: images of ${shape.join('x')}`, () =>
      scope(() => {
        const x = drawnImages(shape, 1).to('float32');
        const w = drawn('normal', shape, 2);
        const excess = drawn('normal', [1], 3);
        const isSteep = drawn('uniform', shape, 4).greater(0.3).to('float64');
        for (const weights of [w, w.mul(isSteep), w.mul(0), w.pow(3).mul(1e-9)])
          for (const far of [excess.mul(0.01), excess, excess.mul(30), excess.mul(1e4), excess.mul(0)]) {
            const plane = { w: weights.to('float32'), excess: far.to('float32').reshape([-1]) };
            assertAlike(greedyStep(x, plane), composedGreedyStep(x, plane), 'step', rounding);
          }
        assertSteady(
          (of, plane, away) => greedyStep(of!, { w: plane!, excess: away!.reshape([-1]) }),
          [x, w.to('float32'), excess.to('float32').reshape([-1, 1])],
        );
      }));

  it('is as long as its twin, and as far across, where many weights are of one size: which of them move is open', () =>
    scope(() => {
      const x = drawnImages([3, 18, 17], 1).to('float32');
      const w = drawn('normal', [3, 18, 17], 2).mul(3).to('int64').to('float32');
      for (const size of [0.1, 10, 300]) {
        const plane = { w, excess: drawn('normal', [1], 3).reshape([-1]).mul(size).to('float32') };
        const [found, wanted] = [greedyStep(x, plane), composedGreedyStep(x, plane)];
        const measures = (step: Tensor) => [step.abs(), step.mul(w)].map((each) => each.sum([1, 2, 3]));
        for (const [at, measure] of measures(found).entries())
          assertAlike(measure, measures(wanted)[at]!, `${size}`, { relative: 1e-5, absolute: 1e-5 });
      }
    }));

  it('reaches the hyperplane, or goes to all walls where it is out of reach', () =>
    scope(() => {
      const x = drawnImages([3, 18, 17], 1).to('float32');
      const w = drawn('normal', [3, 18, 17], 2).to('float32');
      const excess = drawn('normal', [1], 3).reshape([-1]).pow(3).mul(200).to('float32');
      const plane = { w, excess };
      assertReachesPlanes({ x, plane, step: greedyStep(x, plane) }, { plane: 1e-4, box: 1e-7 });
    }));

  it('is no number, as is its twin somewhere, where a weight or the excess is none: FAB does not take such a step', () =>
    scope(() => {
      const x = drawnImages([3, 7, 5], 1).to('float32');
      const w = drawn('normal', [3, 7, 5], 2).to('float32');
      const excess = drawn('normal', [1], 3).reshape([-1]).to('float32');
      const isHit = drawn('uniform', [3, 7, 5], 4).greater(0.996);
      const hit = (value: number) => where(isHit, w.mul(0).add(value), w);
      const isNumber = (of: Tensor) => [...of.sum([1, 2, 3]).numbers()].map((sum) => !Number.isNaN(sum));
      let steps = 0;
      for (const plane of [
        { w: hit(Number.NaN), excess },
        { w: hit(Number.POSITIVE_INFINITY), excess },
        { w, excess: excess.mul(Number.NaN) },
        { w, excess: excess.div(0) },
      ]) {
        const found = isNumber(greedyStep(x, plane));
        assert.deepEqual(found, isNumber(composedGreedyStep(x, plane)));
        steps += found.filter(Boolean).length;
      }
      assert.ok(steps > batch && steps < 3 * batch, `${steps} steps`);
    }));
});
