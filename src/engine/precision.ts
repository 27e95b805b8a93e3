import { native } from './native.js';

/**
 * How convolutions and matrix products of a network are computed. `float32` is float32 on every device. `tf32` lets a card
 * round the factors to 10 bits of mantissa, and changes nothing on the CPU. `bfloat16` computes the whole network in
 * bfloat16, with weights kept in float32.
 */
export const precisions = ['float32', 'tf32', 'bfloat16'] as const;

export type Precision = (typeof precisions)[number];

/**
 * Runs `body` in `float32` or `tf32`; the setting before comes back afterwards. Work that `body` asked for keeps the
 * precision, also where the card does it later.
 */
export function withTensorFloat32<T>(allowed: boolean, body: () => T): T {
  const before = native().setTensorFloat32(allowed);
  try {
    return body();
  } finally {
    native().setTensorFloat32(before);
  }
}
