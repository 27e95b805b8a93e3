import { type NoiseKey, noise } from '../../tensor/noise.js';
import { operator } from '../../tensor/operator.js';
import { one, type Tensor } from '../../tensor/tensor.js';
import { haveKernel } from '../have-kernel.js';
import {
  firstPixels,
  type Points,
  type SquareDraws,
  type SquareWindow,
  signOf,
  windowMask,
} from './window.js';

/** Initial perturbation: vertical stripes one pixel wide, each column of each channel at ε or −ε. */
export function linfStart(
  x: Tensor,
  {
    epsilon,
    key,
    ids,
  }: { readonly epsilon: number; readonly key: NoiseKey; readonly ids: readonly number[] },
): Tensor {
  const shape = [x.dimension(1), 1, x.dimension(3)];
  const stripes = signOf(noise('uniform', { key, ids, shape, dtype: x.dtype, device: x.device }));
  return x.add(stripes.mul(epsilon)).clamp(0, 1);
}

/** Number of random values used by `linfMove`. */
export const linfDraws = (channels: number): number => 2 + channels;

/** Changes one square window of each example, with a random sign per channel. */
export function linfMove(
  images: { readonly x: Tensor; readonly best: Tensor },
  { side, epsilon, draws }: { readonly side: number; readonly epsilon: number; readonly draws: SquareDraws },
): Tensor {
  const [, channels, height, width] = images.x.shape as [number, number, number, number];
  return changeSquare(images, {
    window: draws.window(0, { side, height, width }),
    signs: draws.signs(2, channels),
    epsilon,
  });
}

interface SquareChange {
  readonly window: SquareWindow;
  /** [n, C, 1, 1] */
  readonly signs: Tensor;
  readonly epsilon: number;
}

/**
 * best ± 2ε inside the window, with one sign per channel, clipped to the ball around x and to the box; by Satin's own operator in
 * float32 on the CPU.
 */
export function changeSquare(points: Points, change: SquareChange): Tensor {
  const { x, best } = points;
  if (!haveKernel(x, best)) return composedChangeOfSquare(points, change);
  const { window, signs, epsilon } = change;
  const handles = [x, best, firstPixels(window), signs].map((each) => each.handle);
  return one(changeOperator, ...handles, window.side, epsilon);
}

const changeOperator = operator('satin::change_square');

/** The same of libtorch's operators. */
export function composedChangeOfSquare(
  { x, best }: Points,
  { window, signs, epsilon }: SquareChange,
): Tensor {
  const change = windowMask(window, x).mul(signs.mul(2 * epsilon)); // [n, C, H, W]
  return best.add(change).minimum(x.add(epsilon)).maximum(x.sub(epsilon)).clamp(0, 1);
}
