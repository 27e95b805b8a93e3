import { attackStreams, normalNoise, uniformNoise, uniformNumber } from './noise.js';

/** What PGD needs of a norm, for one image as float32; the same arithmetic as src/attacks/norms.ts. */
export interface BrowserNorm {
  /** A random point of the ball around the image, within [0, 1]. */
  start(
    image: Float32Array,
    ball: { readonly epsilon: number; readonly seed: number; readonly id: number },
  ): Float32Array;
  /** `point` moved by `size` in the direction of steepest ascent, projected onto the ball around `image` and onto [0, 1]. */
  step(
    point: Float32Array,
    gradient: Float32Array,
    at: { readonly image: Float32Array; readonly epsilon: number; readonly size: number },
  ): Float32Array;
}

const { fround, max, min, sqrt } = Math;
const inBox = (value: number) => min(1, max(0, value));

const linf: BrowserNorm = {
  start(image, { epsilon, seed, id }) {
    const uniform = uniformNoise({ seed, stream: attackStreams.start, id }, image.length);
    const [radius, width] = [fround(epsilon), fround(2 * epsilon)];
    return image.map((value, at) => inBox(fround(value + fround(fround(uniform[at]! * width) - radius))));
  },
  step(point, gradient, { image, epsilon, size }) {
    const [radius, length] = [fround(epsilon), fround(size)];
    return point.map((value, at) => {
      const moved = fround(value + (Math.sign(gradient[at]!) || 0) * length);
      const original = image[at]!;
      return inBox(max(min(moved, fround(original + radius)), fround(original - radius)));
    });
  },
};

const l2: BrowserNorm = {
  start(image, { epsilon, seed, id }) {
    const direction = normalised(normalNoise({ seed, stream: attackStreams.start, id }, image.length));
    // The volume of the ball grows as r^d, so the d-th root makes the point uniform.
    const drawn = uniformNumber({ seed, stream: attackStreams.radius, id });
    const radius = fround(drawn ** (1 / image.length) * epsilon);
    return intoBall(
      image.map((value, at) => value + direction[at]! * radius),
      image,
      epsilon,
    );
  },
  step(point, gradient, { image, epsilon, size }) {
    const direction = normalised(gradient);
    return intoBall(
      point.map((value, at) => value + direction[at]! * size),
      image,
      epsilon,
    );
  },
};

export const browserNorms = { linf, l2 } as const;

export type BrowserNormName = keyof typeof browserNorms;

/** x / ‖x‖₂, with NaN as 0; divided by the largest number first, so that squares of small numbers do not underflow. */
function normalised(x: Float32Array): Float32Array {
  const known = x.map((value) => (Number.isNaN(value) ? 0 : value));
  const largest = known.reduce((most, value) => max(most, Math.abs(value)), 0) || 1;
  const length = max(1, lengthOf(known.map((value) => value / largest)));
  return known.map((value) => value / largest / length);
}

function intoBall(point: Float32Array, image: Float32Array, epsilon: number): Float32Array {
  const change = point.map((value, at) => value - image[at]!);
  const factor = epsilon / max(epsilon, lengthOf(change), 1e-30);
  return image.map((value, at) => inBox(value + change[at]! * factor));
}

function lengthOf(x: Float32Array): number {
  return sqrt(x.reduce((sum, value) => sum + value * value, 0));
}
