/** The kernel that projects onto L1 ball and box, against its twin of libtorch's operators and against what a projection is. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { composedProjectionInL1, projectInL1 } from '../../src/attacks/l1-projection.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { where } from '../../src/tensor/create.js';
import { scope } from '../../src/tensor/scope.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { assertAlike, assertSteady, batch, drawn, drawnImages, imageShapes } from '../support/kernel-twin.js';

setThreads(1);

/** One rounding of a pixel in [0, 1]. */
const rounding = { relative: 0, absolute: 2 ** -24 };

/** Candidates near, far and outside of the box, dense, in few pixels and in none. */
function candidates(x: Tensor): readonly Tensor[] {
  const shape = x.shape.slice(1);
  const step = drawn('normal', shape, 2);
  const few = drawn('uniform', shape, 3).greater(0.9).to('float64');
  return [0.001, 0.1, 1, 1000]
    .flatMap((size) => [step.mul(size), step.mul(few).mul(size)])
    .concat(step.mul(0), step.sign().mul(0.125))
    .map((each) => x.add(each));
}

describe('the kernel that projects onto L1 ball and box', () => {
  for (const shape of imageShapes)
    it(`agrees with its twin to one rounding: images of ${shape.join('x')}`, () =>
      scope(() => {
        const x = drawnImages(shape, 1);
        const image = x.to('float32');
        for (const candidate of candidates(x).map((of) => of.to('float32'))) {
          for (const epsilon of [0, 1e-3, 0.05, 1, 12, 1000]) {
            const wanted = composedProjectionInL1(candidate, image, epsilon);
            assertAlike(projectInL1(candidate, image, epsilon), wanted, `ε = ${epsilon}`, rounding);
          }
        }
        const moved = candidates(x)[2]!.to('float32');
        assertSteady((from, to) => projectInL1(to!, from!, 1), [image, moved]);
      }));

  it('gives the nearest point of both: Karush, Kuhn and Tucker, in ball and box, and itself a fixed point', () =>
    scope(() => {
      const x = drawnImages([3, 18, 17], 1).to('float32');
      const each = 3 * 18 * 17;
      const image = x.numbers();
      for (const epsilon of [0.05, 1, 12])
        for (const candidate of candidates(x.to('float64')).map((of) => of.to('float32'))) {
          const found = projectInL1(candidate, x, epsilon);
          assertAlike(projectInL1(found, x, epsilon), found, 'fixed point');
          const [points, wanted] = [found.numbers(), candidate.numbers()];
          assert.ok(points.every((pixel) => pixel >= 0 && pixel <= 1));
          for (let row = 0; row < batch; row++) {
            const places = Array.from({ length: each }, (_, at) => row * each + at);
            const moved = (at: number) => Math.abs(points[at]! - image[at]!);
            const short = (at: number) => Math.abs(wanted[at]! - image[at]!) - moved(at);
            const length = places.reduce((sum, at) => sum + moved(at), 0);
            assert.ok(length <= epsilon * (1 + 1e-12), `row ${row}: ${length}`);
            // All that are neither back at the image nor at their wall are short of the candidate by one λ, 0 inside of the ball;
            // those at their wall by no less, those at the image by no more. Float32 rounds by 6e-8 a number, and the step back doubles it.
            const isAtWall = (at: number) => points[at] === 0 || points[at] === 1;
            const free = places.filter((at) => moved(at) > 0 && !isAtWall(at)).map(short);
            const near = 2e-7 * Math.max(1, ...places.map((at) => Math.abs(wanted[at]!)));
            if (free.length === 0) continue;
            const [least, most] = [Math.min(...free), Math.max(...free)];
            assert.ok(most - least <= near, `row ${row}: λ from ${least} to ${most}`);
            // Rounded towards the image, thousands of numbers end inside of the ball.
            if (length < epsilon - each * 2 ** -23)
              assert.ok(most <= near, `row ${row}: inside, yet λ is ${most}`);
            for (const at of places)
              if (moved(at) === 0 && !isAtWall(at)) assert.ok(short(at) <= least + near, `row ${row}`);
              else if (moved(at) > 0 && isAtWall(at)) assert.ok(short(at) >= least - near, `row ${row}`);
          }
        }
    }));

  it('treats what is no number, or infinite, as its twin does', () =>
    scope(() => {
      const shape = [3, 7, 5];
      const x = drawnImages(shape, 1).to('float32');
      const isHit = drawn('uniform', shape, 4).greater(0.99);
      const step = drawn('normal', shape, 2).to('float32');
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        const candidate = where(isHit, step.mul(0).add(value), x.add(step));
        const found = projectInL1(candidate, x, 2);
        assertAlike(found, composedProjectionInL1(candidate, x, 2), `${value}`, rounding);
      }
    }));

  it('leaves images in a graph, and float64, to its twin', () =>
    scope(() => {
      const x = drawnImages([1, 4, 4], 1).to('float32');
      const candidate = x.add(1).requireGrad_();
      assert.ok(projectInL1(candidate, x, 1).requiresGrad);
      assert.equal(projectInL1(candidate.to('float64'), x.to('float64'), 1).dtype, 'float64');
    }));
});
