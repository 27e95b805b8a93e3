import { pad } from '../tensor/functional.js';
import type { Tensor } from '../tensor/tensor.js';

/** Padding of convolutions and pooling: symmetric, as in PyTorch's networks, or TensorFlow's `SAME`. */
export const paddings = ['symmetric', 'same'] as const;

export type Padding = (typeof paddings)[number];

export interface Window {
  readonly kernel: number;
  readonly stride: number;
}

/**
 * TensorFlow's `SAME` padding of one side: max((⌈size / stride⌉ − 1) · stride + kernel − size, 0) in total, the odd one
 * at the end. With a stride of 2 it is symmetric for an odd size and uneven for an even one.
 */
export function samePadding(
  size: number,
  { kernel, stride }: Window,
): readonly [before: number, after: number] {
  const total = Math.max((Math.ceil(size / stride) - 1) * stride + kernel - size, 0);
  const before = Math.floor(total / 2);
  return [before, total - before];
}

/** Pads x [N, C, H, W] by `samePadding` with `value`. */
export function padSame(x: Tensor, window: Window, value = 0): Tensor {
  const [left, right] = samePadding(x.dimension(3), window);
  const [top, bottom] = samePadding(x.dimension(2), window);
  return pad(x, [left, right, top, bottom], value);
}
