import { type NoiseKey, noise } from '../../tensor/noise.js';
import type { Tensor } from '../../tensor/tensor.js';
import { insideOf, type SquareDraws, type SquareWindow, signOf } from './window.js';

/** Vertical stripes of one pixel: each column of each channel at ε or −ε. */
export function linfStart(
  x: Tensor,
  {
    epsilon,
    key,
    ids,
  }: { readonly epsilon: number; readonly key: NoiseKey; readonly ids: readonly number[] },
): Tensor {
  const shape = [x.dimension(1), 1, x.dimension(3)];
  const stripes = signOf(noise('uniform', { key, ids, shape, dtype: x.dtype })).toDevice(x.device);
  return x.add(stripes.mul(epsilon)).clamp(0, 1);
}

/** How many random numbers `linfMove` takes. */
export const linfDraws = (channels: number): number => 2 + channels;

/** One square of each example is moved, each channel in a direction of its own. */
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

/** best ± 2ε inside the window, with a sign for each channel [n, C, 1, 1], clipped to the ball around x and to the box. */
export function changeSquare(
  { x, best }: { readonly x: Tensor; readonly best: Tensor },
  options: { readonly window: SquareWindow; readonly signs: Tensor; readonly epsilon: number },
): Tensor {
  const { window, signs, epsilon } = options;
  const change = insideOf(window, x).mul(signs.mul(2 * epsilon)); // [n, C, H, W]
  return best.add(change).minimum(x.add(epsilon)).maximum(x.sub(epsilon)).clamp(0, 1);
}
