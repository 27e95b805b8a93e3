/** A step of APGD: in L∞ to the bit that of libtorch's operators, in L2 to the rounding of its norms. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Ascent, composedMomentumStep, momentumStep } from '../../src/attacks/momentum-step.js';
import { norms } from '../../src/attacks/norms.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { where } from '../../src/tensor/create.js';
import { scope } from '../../src/tensor/scope.js';
import type { Dtype, Tensor } from '../../src/tensor/tensor.js';
import { assertAlike, assertSteady, drawn, drawnImages, imageShapes } from '../support/kernel-twin.js';

setThreads(1);

/** In float32 a norm of thousands of numbers is known to 1e-6, and a step is as long as ε. */
const tolerances = { linf: undefined, l2: { relative: 0, absolute: 1e-6 } } as const;

/** Points in and around the ball, and gradients some of which are 0. */
function ascent(shape: readonly number[], dtype: Dtype): Ascent {
  const origin = drawnImages(shape, 1);
  const near = (salt: number) => origin.add(drawn('normal', shape, salt).mul(0.05)).clamp(0, 1);
  const kept = drawn('uniform', shape, 5).greater(0.1).to('float64');
  return {
    origin: origin.to(dtype),
    x: near(2).to(dtype),
    previous: near(3).to(dtype),
    gradient: drawn('normal', shape, 4).mul(kept).to(dtype),
    stepSize: drawn('uniform', [1, 1, 1], 6).to(dtype),
  };
}

const listed = (at: Ascent): Tensor[] => [at.origin, at.x, at.previous, at.gradient, at.stepSize];
const named = ([origin, x, previous, gradient, stepSize]: readonly Tensor[]): Ascent =>
  ({ origin, x, previous, gradient, stepSize }) as Ascent;

describe('a step of APGD with momentum', () => {
  for (const name of ['linf', 'l2'] as const) {
    const norm = norms[name];
    for (const shape of imageShapes)
      it(`is that of libtorch's operators: ${name}, images of ${shape.join('x')}`, () =>
        scope(() => {
          const at = ascent(shape, 'float32');
          for (const epsilon of [0, 8 / 255, 1, 100])
            for (const share of [0.75, 1])
              for (const scale of [1, 1e-30, 0, 1e30]) {
                const scaled = { ...at, gradient: at.gradient.mul(scale) };
                const wanted = composedMomentumStep(norm, scaled, { epsilon, share });
                const found = momentumStep(norm, scaled, { epsilon, share });
                assertAlike(found, wanted, `ε = ${epsilon}`, tolerances[name]);
              }
          const options = { epsilon: 0.1, share: 0.75 };
          assertSteady((...each) => momentumStep(norm, named(each), options), listed(at));
        }));

    it(`is near the one in float64, and stays in ball and box: ${name}`, () =>
      scope(() => {
        const epsilon = 0.1;
        const at = ascent([3, 18, 17], 'float32');
        const found = momentumStep(norm, at, { epsilon, share: 0.75 });
        const exact = named(listed(at).map((each) => each.to('float64')));
        const wanted = composedMomentumStep(norm, exact, { epsilon, share: 0.75 });
        assertAlike(found.to('float64'), wanted, name, { relative: 0, absolute: 1e-6 });
        assert.ok(norm.distance(found, at.origin).every((far) => far <= norm.allowed(epsilon)));
        assert.ok(found.numbers().every((pixel) => pixel >= 0 && pixel <= 1));
      }));

    it(`treats what is no number, or infinite, as libtorch's operators do: ${name}`, () =>
      scope(() => {
        const shape = [3, 7, 5];
        const at = ascent(shape, 'float32');
        const isHit = drawn('uniform', shape, 7).greater(0.99);
        const options = { epsilon: 0.1, share: 0.75 };
        for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
          for (const part of ['gradient', 'x', 'previous', 'origin'] as const) {
            const hit = { ...at, [part]: where(isHit, at[part].mul(0).add(value), at[part]) };
            const wanted = composedMomentumStep(norm, hit, options);
            assertAlike(momentumStep(norm, hit, options), wanted, `${value} in ${part}`, tolerances[name]);
          }
      }));
  }

  it('follows a norm with another projection, and a float64 image', () =>
    scope(() => {
      const at = ascent([1, 4, 4], 'float32');
      const still = { ...norms.linf, project: (_: Tensor, x: Tensor) => x };
      assertAlike(momentumStep(still, at, { epsilon: 1, share: 0.75 }), at.origin, 'still');
      const double = ascent([1, 4, 4], 'float64');
      assert.equal(momentumStep(norms.linf, double, { epsilon: 1, share: 0.75 }).dtype, 'float64');
    }));
});
