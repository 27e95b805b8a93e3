import assert from 'node:assert/strict';

export interface Tolerance {
  /** Allowed difference over the expected number. */
  readonly relative: number;
  /** Allowed difference. */
  readonly absolute: number;
}

/** What issue and design ask of float32. */
export const single: Tolerance = { relative: 1e-5, absolute: 1e-6 };
/** What float64 gives. */
export const double: Tolerance = { relative: 1e-11, absolute: 1e-13 };

/** |actual − expected| ≤ absolute + relative · |expected| for every number, as PyTorch's allclose; NaN equals nothing. */
export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: Tolerance,
  name: string,
): void {
  assert.equal(actual.length, expected.length, `${name}: as many numbers`);
  for (let i = 0; i < expected.length; i++) {
    const [is, should] = [actual[i]!, expected[i]!];
    const allowed = tolerance.absolute + tolerance.relative * Math.abs(should);
    if (is !== should && !(Math.abs(is - should) <= allowed))
      assert.fail(
        `${name}[${i}]: ${is} instead of ${should}, off by ${Math.abs(is - should)} (${allowed} allowed)`,
      );
  }
}

/** The largest |a − b|. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  assert.equal(a.length, b.length);
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  return largest;
}
