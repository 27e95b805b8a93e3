/** Images, a linear classifier, and distances in plain JavaScript: where a descent may be, and where it should end. */
import assert from 'node:assert/strict';
import { type NormName, norms } from '../../src/attacks/norms.js';
import type { Classifier } from '../../src/nn/classifier.js';
import { linear } from '../../src/tensor/functional.js';
import { noise } from '../../src/tensor/noise.js';
import { scope } from '../../src/tensor/scope.js';
import type { Dtype, Tensor } from '../../src/tensor/tensor.js';
import { assertClose } from './close.js';

export const key = { seed: 8, stream: 'attack' } as const;

/** Random images with pixels in [low, high], [count, 2, 3, 3]; those beyond [0, 1] become 0 and 1. */
export function images(
  count: number,
  [low, high]: readonly [number, number],
  dtype: Dtype = 'float32',
): Tensor {
  return scope(() => {
    const ids = Array.from({ length: count }, (_, id) => id);
    const draw = noise('uniform', {
      key: { seed: 1, stream: 'bench' },
      ids,
      shape: [2, 3, 3],
      dtype: 'float64',
    });
    return draw
      .mul(high - low)
      .add(low)
      .clamp(0, 1)
      .to(dtype);
  });
}

export const idsOf = (x: Tensor) => Array.from({ length: x.dimension(0) }, (_, id) => id);
export const pixels = 18;

const lengthIn: Readonly<Record<NormName, (differences: readonly number[]) => number>> = {
  linf: (differences) => Math.max(...differences),
  l2: (differences) => Math.hypot(...differences),
  l1: (differences) => differences.reduce((sum, each) => sum + each, 0),
};

/** What the threat model accepts, docs/threat-model.md. */
const allowedIn: Readonly<Record<NormName, (epsilon: number) => number>> = {
  linf: (epsilon) => epsilon + 1e-6,
  l2: (epsilon) => epsilon * (1 + 1e-5),
  l1: (epsilon) => epsilon * (1 + 1e-5),
};

/** ‖a − b‖ of each example, in plain JavaScript. */
export function distances(norm: NormName, a: Tensor, b: Tensor): number[] {
  const [left, right] = [a.numbers(), b.numbers()];
  const size = left.length / a.dimension(0);
  return idsOf(a).map((row) => {
    const differences = Array.from({ length: size }, (_, at) =>
      Math.abs(left[row * size + at]! - right[row * size + at]!),
    );
    return lengthIn[norm](differences);
  });
}

export function assertInside(norm: NormName, moved: Tensor, x: Tensor, epsilon: number): void {
  const allowed = allowedIn[norm](epsilon);
  assert.equal(norms[norm].allowed(epsilon), allowed);
  for (const [row, distance] of distances(norm, moved, x).entries())
    assert.ok(distance <= allowed, `example ${row} is ${distance} away, ε = ${epsilon}`);
  assert.ok(
    moved.numbers().every((pixel) => pixel >= 0 && pixel <= 1),
    'in the box',
  );
  assertClose(
    norms[norm].distance(moved, x),
    distances(norm, moved, x),
    { relative: 1e-12, absolute: 1e-15 },
    'distance',
  );
}

/** Two classes, so that the direction that hurts is the same everywhere: the difference of the two rows. */
export function linearClassifier(dtype: Dtype = 'float32'): { classify: Classifier; weights: Float64Array } {
  const weight = scope(() =>
    noise('normal', { key: { seed: 2, stream: 'bench' }, ids: [0, 1], shape: [pixels], dtype: 'float64' }).to(
      dtype,
    ),
  );
  return { classify: (x) => linear(x.flatten(1), weight), weights: weight.numbers() };
}
