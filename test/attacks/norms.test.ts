/** What every norm promises: no step where nothing points, directions of length 1, the nearest point of the ball, even starts. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { norms } from '../../src/attacks/norms.js';
import { pgd } from '../../src/attacks/pgd.js';
import { setThreads } from '../../src/engine/engine-info.js';
import type { Classifier } from '../../src/nn/classifier.js';
import { integers, tensor } from '../../src/tensor/create.js';
import { scope } from '../../src/tensor/scope.js';
import { assertInside, distances, idsOf, images, key, linearClassifier, pixels } from '../support/ball.js';
import { assertClose, largestDifference } from '../support/close.js';

setThreads(1);

const names = ['linf', 'l2', 'l1'] as const;

describe('a norm', () => {
  for (const norm of names) {
    it(`${norm}: ε = 0 leaves the image as it is, bit for bit`, () =>
      scope(() => {
        const x = images(4, [0, 1]);
        const start = norms[norm].randomStart(x, { epsilon: 0, key, ids: idsOf(x) });
        assert.deepEqual(start.numbers(), x.numbers());
        const options = { norm: norms[norm], epsilon: 0, steps: 3, stepSize: 0.1 };
        const moved = pgd(
          linearClassifier().classify,
          { x, labels: integers([0, 1, 0, 1]), start: x },
          options,
        );
        assert.deepEqual(moved.numbers(), x.numbers());
      }));

    it(`${norm}: where the gradient is 0 the image stays in its place`, () =>
      scope(() => {
        const x = images(3, [0.1, 0.9]);
        const flat: Classifier = (point) => point.flatten(1).narrow(1, 0, 2).mul(0);
        const options = { norm: norms[norm], epsilon: 0.1, steps: 3, stepSize: 0.05 };
        const moved = pgd(flat, { x, labels: integers([0, 1, 0]), start: x }, options);
        assert.ok(largestDifference(moved.numbers(), x.numbers()) < 1e-7);
        assert.equal(norms[norm].direction(x.mul(0)).abs().max().item(), 0);
      }));

    it(`${norm}: a direction has length 1, of the smallest and largest gradients too`, () =>
      scope(() => {
        const slope = images(5, [0, 1], 'float64').sub(0.5);
        const exact = norms[norm].direction(slope).numbers();
        for (const scale of [1, 1e-10, 1e-25, 1e-37, 1e30]) {
          const direction = norms[norm].direction(slope.mul(scale).to('float32'));
          for (const length of distances(norm, direction, direction.mul(0)))
            assert.ok(Math.abs(length - 1) < 1e-6, `length ${length} for gradients of ${scale}`);
          assertClose(
            direction.numbers(),
            exact,
            { relative: 1e-5, absolute: 1e-6 },
            `direction for ${scale}`,
          );
        }
      }));

    it(`${norm}: a point inside ball and box stays where it is, one outside goes to the nearest of the ball`, () =>
      scope(() => {
        const x = images(6, [0.4, 0.6]);
        const step = norms[norm].direction(images(6, [0, 1]).sub(0.5));
        const at = (length: number) => x.add(step.mul(length));
        const projected = (length: number) => norms[norm].project(at(length), x, 0.2).numbers();
        assertClose(projected(0.19), at(0.19).numbers(), { relative: 0, absolute: 1e-7 }, 'inside');
        assertClose(projected(0.7), at(0.2).numbers(), { relative: 0, absolute: 1e-6 }, 'outside');
      }));
  }
});

describe('a random start', () => {
  /** The largest distance of a sample's distribution from the uniform one on [0, 1] (Kolmogorov and Smirnov). */
  const deviation = (sample: readonly number[]) => {
    const sorted = [...sample].sort((a, b) => a - b);
    return Math.max(
      ...sorted.map((value, at) => Math.max(value - at / sorted.length, (at + 1) / sorted.length - value)),
    );
  };
  const count = 4000;
  const critical = 1.95 / Math.sqrt(count); // 1 in 1,000
  const ids = Array.from({ length: count }, (_, id) => id);
  const shape = [count, 1, 2, 2];
  const centre = () => tensor(new Float32Array(count * 4).fill(0.5), shape);

  it('in L∞ is uniform in each pixel', () =>
    scope(() => {
      const start = norms.linf.randomStart(centre(), { epsilon: 0.25, key, ids }).numbers();
      for (const pixel of [0, 3]) {
        const sample = ids.map((id) => (start[id * 4 + pixel]! - 0.25) / 0.5);
        assert.ok(deviation(sample) < critical, `pixel ${pixel}: ${deviation(sample)}`);
      }
    }));

  it('in L2 is uniform in the ball: the radius to the power of the dimensions is uniform, no direction is preferred', () =>
    scope(() => {
      const epsilon = 0.25;
      const x = centre();
      const start = norms.l2.randomStart(x, { epsilon, key, ids });
      const radii = distances('l2', start, x);
      const sample = radii.map((radius) => (radius / epsilon) ** 4);
      assert.ok(deviation(sample) < critical, `${deviation(sample)}`);
      // A coordinate of a uniform point in the 4-ball of radius ε has mean 0 and variance ε² / 6.
      const moved = start.sub(x).numbers();
      for (let pixel = 0; pixel < 4; pixel++) {
        const column = ids.map((id) => moved[id * 4 + pixel]! / epsilon);
        const mean = column.reduce((sum, each) => sum + each, 0) / count;
        const square = column.reduce((sum, each) => sum + each ** 2, 0) / count;
        assert.ok(Math.abs(mean) < 4 / Math.sqrt(6 * count), `mean ${mean}`);
        assert.ok(Math.abs(square - 1 / 6) < 0.02, `variance ${square}`);
      }
    }));

  it('in L1 is uniform in the ball: the radius to the power of the dimensions is uniform, no pixel and no sign is preferred', () =>
    scope(() => {
      const epsilon = 0.25;
      const x = centre();
      const start = norms.l1.randomStart(x, { epsilon, key, ids });
      const sample = distances('l1', start, x).map((radius) => (radius / epsilon) ** 4);
      assert.ok(deviation(sample) < critical, `${deviation(sample)}`);
      // A coordinate of a uniform point in the 4-dimensional cross-polytope of radius ε has mean 0 and variance ε² / 15.
      const moved = start.sub(x).numbers();
      for (let pixel = 0; pixel < 4; pixel++) {
        const column = ids.map((id) => moved[id * 4 + pixel]! / epsilon);
        const mean = column.reduce((sum, each) => sum + each, 0) / count;
        const square = column.reduce((sum, each) => sum + each ** 2, 0) / count;
        assert.ok(Math.abs(mean) < 4 / Math.sqrt(15 * count), `mean ${mean}`);
        assert.ok(Math.abs(square - 1 / 15) < 0.01, `variance ${square}`);
      }
    }));

  for (const norm of names)
    it(`in ${norm} depends on the example’s id alone, and differs from restart to restart`, () =>
      scope(() => {
        const x = images(6, [-0.2, 1.2]);
        const start = (rows: readonly number[], restart = 0) =>
          norms[norm].randomStart(x.indexSelect(0, integers(rows)), {
            epsilon: 0.3,
            key: { ...key, restart },
            ids: rows.map((row) => 100 + row),
          });
        const whole = start([0, 1, 2, 3, 4, 5]).numbers();
        for (const row of [0, 3, 5])
          assert.deepEqual(start([row]).numbers(), whole.slice(row * pixels, (row + 1) * pixels));
        const shuffled = start([4, 2, 0]).numbers();
        assert.deepEqual(shuffled.slice(0, pixels), whole.slice(4 * pixels, 5 * pixels));
        assert.notDeepEqual(start([0, 1, 2, 3, 4, 5], 1).numbers(), whole);
        assertInside(norm, start([0, 1, 2, 3, 4, 5]), x, 0.3);
      }));
});
