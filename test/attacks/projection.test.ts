/** The projection onto a hyperplane in the box is that of the reference implementation. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stepToHyperplane } from '../../src/attacks/projection.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { scope } from '../../src/tensor/scope.js';
import { assertClose } from '../support/close.js';
import { fromGolden } from '../support/golden.js';
import { golden } from '../support/reference-traces.js';

setThreads(1);

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
