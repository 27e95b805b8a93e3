/** The smallest step in L1 to a hyperplane within the box: the reference's, and never longer than a bound that no step beats. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stepToHyperplane } from '../../src/attacks/projection.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { scope } from '../../src/tensor/scope.js';
import { assertClose } from '../support/close.js';
import { fromGolden } from '../support/golden.js';
import { l1Golden } from '../support/l1-traces.js';
import { golden } from '../support/reference-traces.js';

setThreads(1);

describe('the step in L1 to a hyperplane in the box', () => {
  for (const [dtype, absolute] of [
    ['float64', 1e-12],
    ['float32', 1e-6],
  ] as const)
    it(`is the reference's, within reach and beyond: ${dtype}`, () =>
      scope(() => {
        const [x, w, excess] = [golden.planes.x, golden.planes.w, golden.planes.excess].map((each) =>
          fromGolden(each, dtype),
        );
        const found = stepToHyperplane('l1', x!, { w: w!, excess: excess! });
        assertClose(found.numbers(), l1Golden.planes[0]!.step.values, { relative: 0, absolute }, 'step');
      }));

  it('is as long as the dual problem allows', () =>
    scope(() => {
      const [x, w, excess] = [golden.planes.x, golden.planes.w, golden.planes.excess].map((each) =>
        fromGolden(each, 'float64'),
      );
      const step = stepToHyperplane('l1', x!, { w: w!, excess: excess! }).numbers();
      const [pixels, weights] = [x!.numbers(), w!.numbers()];
      const each = x!.size / x!.dimension(0);
      let reached = 0;
      for (const [row, far] of excess!.numbers().entries()) {
        const places = Array.from({ length: each }, (_, at) => row * each + at);
        const sum = (of: (at: number) => number) => places.reduce((total, at) => total + of(at), 0);
        const side = Math.sign(far);
        const room = (at: number) => (side * weights[at]! > 0 ? pixels[at]! : 1 - pixels[at]!);
        const moved = -side * sum((at) => weights[at]! * step[at]!);
        const most = sum((at) => Math.abs(weights[at]!) * room(at));
        assert.ok(Math.abs(moved - Math.min(Math.abs(far), most)) < 1e-9, `example ${row}`);
        assert.ok(
          places.every((at) => pixels[at]! + step[at]! >= -1e-12 && pixels[at]! + step[at]! <= 1 + 1e-12),
        );
        if (Math.abs(far) >= most) continue;
        reached += 1;
        // For any price μ, μ |excess| − Σ room (μ |w| − 1)₊ is at most the length of any step to the plane; one μ attains it.
        const length = sum((at) => Math.abs(step[at]!));
        const bounds = places
          .filter((at) => weights[at] !== 0)
          .map((price) => {
            const multiplier = 1 / Math.abs(weights[price]!);
            return (
              multiplier * Math.abs(far) -
              sum((at) => room(at) * Math.max(0, multiplier * Math.abs(weights[at]!) - 1))
            );
          });
        assert.ok(Math.abs(Math.max(...bounds) - length) < 1e-9, `example ${row}: ${length}`);
      }
      assert.ok(reached >= 5);
    }));

  it('stays where the gradient is 0 or the plane goes through the image', () =>
    scope(() => {
      const x = fromGolden(golden.planes.x, 'float32');
      const excess = fromGolden(golden.planes.excess, 'float32');
      const w = fromGolden(golden.planes.w, 'float32');
      const still = (found: Float64Array) => assert.ok(found.every((each) => each === 0));
      still(stepToHyperplane('l1', x, { w: w.mul(0), excess }).numbers());
      still(stepToHyperplane('l1', x, { w, excess: excess.mul(0) }).numbers());
    }));
});
