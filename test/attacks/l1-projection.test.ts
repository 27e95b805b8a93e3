/** The projection onto L1 ball and box: the reference's, the optimum of a slow search, and what makes a point the nearest. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { projectInL1 } from '../../src/attacks/l1-projection.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { tensor } from '../../src/tensor/create.js';
import { noise } from '../../src/tensor/noise.js';
import { scope } from '../../src/tensor/scope.js';
import type { Dtype, Tensor } from '../../src/tensor/tensor.js';
import { assertClose } from '../support/close.js';
import { fromGolden } from '../support/golden.js';
import { l1Golden } from '../support/l1-traces.js';

setThreads(1);

const rows = 24;
const each = 48;

/** Images, a fifth of their pixels at a wall, and candidates that are near, far, outside of the box, or moved in a few pixels. */
function cases(dtype: Dtype): { x: Tensor; candidate: Tensor } {
  const ids = Array.from({ length: rows }, (_, id) => id);
  const draw = (distribution: 'uniform' | 'normal', epoch: number) =>
    noise(distribution, {
      key: { seed: 4, stream: 'bench', epoch },
      ids,
      shape: [3, 4, 4],
      dtype: 'float64',
    });
  const size = tensor(
    Float64Array.from(ids, (id) => 10 ** ((id % 5) - 3)),
    [rows, 1, 1, 1],
  );
  const kept = draw('uniform', 3).greater(0.5).to('float64');
  const x = draw('uniform', 1).mul(1.4).sub(0.2).clamp(0, 1);
  return { x: x.to(dtype), candidate: x.add(draw('normal', 2).mul(size).mul(kept)).to(dtype) };
}

/** The same by bisection on λ in plain numbers: |δ| = min((|y| − λ)₊, room). */
function searched(x: readonly number[], y: readonly number[], epsilon: number): number[] {
  const room = x.map((pixel, at) => (y[at]! < 0 ? pixel : 1 - pixel));
  const sizes = (shortened: number) =>
    y.map((step, at) => Math.min(Math.max(Math.abs(step) - shortened, 0), room[at]!));
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  let [low, high] = [0, Math.max(...y.map(Math.abs))];
  if (sum(sizes(0)) <= epsilon) high = 0;
  for (let bit = 0; bit < 200; bit++) {
    const middle = (low + high) / 2;
    if (sum(sizes(middle)) > epsilon) low = middle;
    else high = middle;
  }
  return sizes(high).map((size, at) => Math.sign(y[at]!) * size);
}

describe('the projection onto L1 ball and box', () => {
  for (const [place, { epsilon, x, step, change }] of l1Golden.projections.entries())
    for (const [dtype, absolute] of [
      ['float64', 1e-12],
      ['float32', 1e-6],
    ] as const)
      it(`is the reference's: ε = ${epsilon}, ${dtype} (${place})`, () =>
        scope(() => {
          const image = fromGolden(x, dtype);
          const found = projectInL1(image.add(fromGolden(step, dtype)), image, epsilon).sub(image);
          assertClose(found.numbers(), change.values, { relative: 0, absolute }, 'change');
        }));

  for (const epsilon of [0, 1e-3, 0.05, 1, 7, 1000])
    it(`is the nearest point of both, by a search and by its conditions: ε = ${epsilon}`, () =>
      scope(() => {
        const { x, candidate } = cases('float64');
        const [image, wanted] = [x.numbers(), candidate.numbers()];
        const found = projectInL1(candidate, x, epsilon).numbers();
        let onSphere = 0;
        for (let row = 0; row < rows; row++) {
          const part = (values: Float64Array) => [...values.slice(row * each, (row + 1) * each)];
          const [from, point] = [part(image), part(found)];
          const y = part(wanted).map((value, at) => value - from[at]!);
          const step = point.map((value, at) => value - from[at]!);
          assertClose(step, searched(from, y, epsilon), { relative: 0, absolute: 1e-10 }, `row ${row}`);
          const length = step.reduce((sum, value) => sum + Math.abs(value), 0);
          assert.ok(length <= epsilon * (1 + 1e-12) + 1e-13, `row ${row}: ${length}`);
          assert.ok(point.every((value) => value >= 0 && value <= 1));
          // Karush, Kuhn and Tucker: with one λ ≥ 0, 0 unless on the sphere, each number is short of the candidate by λ, or is
          // 0 and its candidate within λ, or lies at its wall with its candidate at least λ behind.
          const short = y.map((value, at) => Math.abs(value) - Math.abs(step[at]!));
          const isFree = (at: number) => step[at] !== 0 && point[at]! > 1e-12 && point[at]! < 1 - 1e-12;
          const free = short.filter((_, at) => isFree(at));
          if (length > epsilon - 1e-9 && epsilon > 0) onSphere += 1;
          const multiplier = length < epsilon - 1e-9 ? 0 : Math.min(...free);
          if (free.length === 0) continue;
          for (const [at, value] of short.entries()) {
            const where = `row ${row}, number ${at}: ${value}, λ ${multiplier}`;
            if (isFree(at)) assert.ok(Math.abs(value - multiplier) < 1e-9, where);
            else if (point[at]! > 1e-12 && point[at]! < 1 - 1e-12)
              assert.ok(value < multiplier + 1e-9, where);
            else if (step[at] !== 0) assert.ok(value > multiplier - 1e-9, where);
          }
        }
        if (epsilon === 1) assert.ok(onSphere > 5 && onSphere < rows, `${onSphere} on the sphere`);
      }));

  it('leaves a float32 image in ball and box, and alone where ε = 0', () =>
    scope(() => {
      const { x, candidate } = cases('float32');
      for (const epsilon of [1e-3, 0.05, 1, 7]) {
        const found = projectInL1(candidate, x, epsilon);
        const [points, image] = [found.numbers(), x.numbers()];
        for (let row = 0; row < rows; row++) {
          let length = 0;
          for (let at = row * each; at < (row + 1) * each; at++) length += Math.abs(points[at]! - image[at]!);
          assert.ok(length <= epsilon * (1 + 1e-12), `row ${row}: ${length}`);
        }
        assert.ok(points.every((pixel) => pixel >= 0 && pixel <= 1));
      }
      assert.deepEqual(projectInL1(candidate, x, 0).numbers(), x.numbers());
    }));

  it('is the same for an image alone', () =>
    scope(() => {
      const { x, candidate } = cases('float32');
      const whole = projectInL1(candidate, x, 1).numbers();
      const alone = projectInL1(candidate.narrow(0, 7, 1), x.narrow(0, 7, 1), 1).numbers();
      assert.deepEqual(alone, whole.slice(7 * each, 8 * each));
    }));
});
