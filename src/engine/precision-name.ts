/**
 * How convolutions and matrix products of a network are computed. `float32` is float32 on every device. `tf32` lets a card
 * round the factors to 10 bits of mantissa, and changes nothing on the CPU. `bfloat16` computes the whole network in
 * bfloat16, with weights kept in float32.
 */
export const precisions = ['float32', 'tf32', 'bfloat16'] as const;

export type Precision = (typeof precisions)[number];
