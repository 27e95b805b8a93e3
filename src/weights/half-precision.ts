/** Converts half-precision numbers, given by their bits, to float32; exact. */
export function widenHalfPrecision(bits: Uint16Array, dtype: 'F16' | 'BF16'): Float32Array {
  const result = new Uint32Array(bits.length);
  const widen = dtype === 'BF16' ? (each: number) => each << 16 : fromHalf;
  for (let index = 0; index < bits.length; index++) result[index] = widen(bits[index]!);
  return new Float32Array(result.buffer);
}

/** The float32 bits of an IEEE half: 1 sign, 5 exponent and 10 fraction bits. */
function fromHalf(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return sign | 0x7f800000 | (fraction << 13); // infinity or NaN
  if (exponent !== 0) return sign | ((exponent + 112) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  const shift = Math.clz32(fraction) - 21; // subnormal: fraction · 2^−24
  return sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13);
}
