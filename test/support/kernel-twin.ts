import assert from 'node:assert/strict';
import { setThreads } from '../../src/engine/engine-info.js';
import { noise } from '../../src/tensor/noise.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import type { Tolerance } from './close.js';

/** Sizes of an image: below, at and above what a vector and a block of a sum hold, with rests. */
export const imageShapes = [
  [1, 1, 1],
  [3, 4, 3],
  [1, 4, 4],
  [3, 7, 5],
  [1, 16, 16],
  [3, 18, 17],
] as const;

/** How many images a batch has. */
export const batch = 9;

/** Float64 numbers of a batch, apart by `salt`. */
export function drawn(distribution: 'uniform' | 'normal', shape: readonly number[], salt: number): Tensor {
  const ids = Array.from({ length: batch }, (_, id) => id);
  return noise(distribution, {
    key: { seed: 31, stream: 'bench', step: salt },
    ids,
    shape,
    dtype: 'float64',
  });
}

/** Images [batch, ...shape] with pixels in [0, 1], a good number of them 0 or 1. */
export const drawnImages = (shape: readonly number[], salt: number): Tensor =>
  drawn('uniform', shape, salt).mul(1.4).sub(0.2).clamp(0, 1);

/** Equal but for the tolerance, by default to the bit; NaN equals NaN, and −0 equals 0. */
export function assertAlike(
  actual: Tensor,
  expected: Tensor,
  name: string,
  { relative, absolute }: Tolerance = { relative: 0, absolute: 0 },
): void {
  assert.deepEqual(actual.shape, expected.shape, name);
  const [found, wanted] = [actual.numbers(), expected.numbers()];
  for (const [at, should] of wanted.entries()) {
    const is = found[at]!;
    const isAlike =
      is === should ||
      (Number.isNaN(is) && Number.isNaN(should)) ||
      Math.abs(is - should) <= absolute + relative * Math.abs(should);
    assert.ok(isAlike, `${name}[${at}]: ${is} instead of ${should}`);
  }
}

/**
 * A kernel gives the same bits with other threads, for an image alone and for inputs with gaps or in another layout; and nothing
 * for no image. The inputs have a row per image.
 */
export function assertSteady(
  kernel: (...inputs: readonly Tensor[]) => Tensor,
  inputs: readonly Tensor[],
): void {
  const found = kernel(...inputs);
  assert.equal(found.dtype, 'float32');
  for (const threads of [1, 3]) {
    setThreads(threads);
    assertAlike(kernel(...inputs), found, `${threads} threads`);
  }
  setThreads(1);
  const rows = (from: number, count: number) => inputs.map((input) => input.narrow(0, from, count));
  assertAlike(kernel(...rows(4, 1)), found.narrow(0, 4, 1), 'an image alone');
  assert.deepEqual(kernel(...rows(0, 0)).shape, [0, ...found.shape.slice(1)]);
  const withGaps = inputs.map((input) => {
    const twice = input.unsqueeze(1).expand([input.dimension(0), 2, ...input.shape.slice(1)]);
    return twice.clone().narrow(1, 0, 1).reshape(input.shape);
  });
  assertAlike(kernel(...withGaps), found, 'gaps');
  const turned = inputs.map((input) =>
    input.shape.length === 4 ? input.contiguous('channels-last') : input,
  );
  assertAlike(kernel(...turned), found, 'channels last');
}
