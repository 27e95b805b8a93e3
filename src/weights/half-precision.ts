/** Half-precision numbers, given by their bits, as float32: each has exactly one that equals it. */
export function widenHalfPrecision(bits: Uint16Array, dtype: 'F16' | 'BF16'): Float32Array {
  const result = new Uint32Array(bits.length);
  const widen = dtype === 'BF16' ? (each: number) => each << 16 : fromHalf;
  for (let at = 0; at < bits.length; at++) result[at] = widen(bits[at]!);
  return new Float32Array(result.buffer);
}

/** The bits of the float32 that equals an IEEE half: 1 sign, 5 exponent and 10 fraction bits. */
function fromHalf(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return sign | 0x7f800000 | (fraction << 13); // infinite, or no number
  if (exponent !== 0) return sign | ((exponent + 112) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  const shift = Math.clz32(fraction) - 21; // a number below the smallest ordinary one: fraction · 2^−24
  return sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13);
}
