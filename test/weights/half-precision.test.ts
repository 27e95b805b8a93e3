import assert from 'node:assert/strict';
import { it } from 'node:test';
import { widenHalfPrecision } from '../../src/weights/half-precision.js';

const all = Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits);

/** What the bits stand for, by the definition of the format: `exponent` and `fraction` bits behind the sign. */
function meaning(bits: number, exponent: number, fraction: number): number {
  const sign = bits >> 15 ? -1 : 1;
  const e = (bits >> fraction) & (2 ** exponent - 1);
  const f = (bits & (2 ** fraction - 1)) / 2 ** fraction;
  const bias = 2 ** (exponent - 1) - 1;
  if (e === 2 ** exponent - 1) return f === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (e === 0 ? f * 2 ** (1 - bias) : (1 + f) * 2 ** (e - bias));
}

for (const [dtype, exponent, fraction] of [
  ['F16', 5, 10],
  ['BF16', 8, 7],
] as const)
  it(`every number of ${dtype} keeps its value and its sign`, () => {
    const numbers = widenHalfPrecision(all, dtype);
    for (const bits of all)
      if (!Object.is(numbers[bits], meaning(bits, exponent, fraction)))
        assert.fail(`${bits}: ${numbers[bits]}`);
  });
