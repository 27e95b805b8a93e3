/** Activations against their closed forms, computed with 50 digits: at 0, in the tails, at infinity and NaN. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { setThreads } from '../../src/engine/engine-info.js';
import { tensor } from '../../src/tensor/create.js';
import type { ActivationKind } from '../../src/tensor/functional.js';
import { gradient } from '../../src/tensor/gradient.js';
import { scope } from '../../src/tensor/scope.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { coefficientsOf, kinds, ways } from '../support/curves.js';

setThreads(1);

interface Case {
  readonly kind: ActivationKind;
  readonly a: number;
  readonly b: number;
  readonly value: readonly (number | string)[];
  readonly slope: readonly (number | string)[];
  readonly coefficients: readonly (readonly (number | string)[])[];
}

const golden = JSON.parse(
  readFileSync(new URL('../../../test/golden/activations.json', import.meta.url), 'utf8'),
) as { readonly points: readonly (number | string)[]; readonly cases: readonly Case[] };
const points = Float64Array.from(golden.points, Number);

/** Over the number: for float64 a few roundings. Times max(1, |x|): a tenth of it. */
const tolerances = { float32: 1e-6, float64: 1e-12 } as const;

function assertGolden(actual: Float64Array, expected: readonly (number | string)[], tolerance: number): void {
  assert.equal(actual.length, points.length);
  for (const [place, x] of points.entries()) {
    const [is, should] = [actual[place]!, Number(expected[place])];
    if (Object.is(is, should) || is === should) continue;
    assert.ok(Number.isFinite(should), `${is} instead of ${should} at ${x}`);
    const allowed = Math.max(
      tolerance * Math.abs(should),
      (tolerance / 10) * Math.max(1, Number.isFinite(x) ? Math.abs(x) : 1),
    );
    assert.ok(Math.abs(is - should) <= allowed, `${is} instead of ${should} at ${x}`);
  }
}

describe('activations equal their closed forms', () => {
  it('has golden values of every kind and coefficient, everywhere that matters', () => {
    assert.deepEqual([...new Set(golden.cases.map(({ kind }) => kind))], kinds);
    for (const { kind, coefficients } of golden.cases)
      assert.equal(coefficients.length, coefficientsOf[kind].length, kind);
    const wanted = [0, 1e-8, 1e-4, 1, 5, 10, 20, 100, 1e4, Infinity].flatMap((x) => [x, -x]).map(Math.fround);
    for (const x of wanted) assert.ok(points.includes(x), `${x}`);
    assert.ok(points.some(Number.isNaN));
    assert.ok(points.length >= 80);
  });

  for (const [way, activate] of Object.entries(ways))
    for (const dtype of ['float32', 'float64'] as const)
      for (const { kind, a, b, value, slope, coefficients } of golden.cases) {
        const inBrackets = [a, b].slice(0, coefficients.length).join(', ');
        it(`${kind}(${inBrackets}) of the ${way} in ${dtype}: value, slope and the coefficients’ slopes`, () =>
          scope(() => {
            const x = tensor(points, [points.length]).to(dtype).requireGrad_();
            const y = activate(x, { curve: { kind, a, b } });
            assertGolden(y.numbers(), value, tolerances[dtype]);
            assertGolden(gradient(y.sum(), x).numbers(), slope, tolerances[dtype]);
            if (coefficients.length === 0) return;
            const learned = tensor(Float64Array.of(a, b).subarray(0, coefficients.length), [
              coefficients.length,
            ])
              .to(dtype)
              .requireGrad_();
            const options = { curve: { kind }, coefficients: learned };
            assert.deepEqual(activate(x, options).numbers(), y.numbers());
            const alone = (point: number): Tensor => tensor(Float64Array.of(point), [1]).to(dtype);
            const slopes = Array.from(points, (point) =>
              scope(() => gradient(activate(alone(point), options).sum(), learned).numbers()),
            );
            for (const [place, expected] of coefficients.entries())
              assertGolden(
                Float64Array.from(slopes, (each) => each[place]!),
                expected,
                tolerances[dtype],
              );
          }));
      }
});
