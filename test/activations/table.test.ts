/** What the table of activations says of each: smoothness, bounds of f″. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { derivative } from '../../src/activations/activation.js';
import { activationNames, parseActivation } from '../../src/activations/parse.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { tensor } from '../../src/tensor/create.js';
import { scope } from '../../src/tensor/scope.js';

setThreads(1);

/** f′ in float64. */
const slopes = (name: string, at: readonly number[]) =>
  scope(() => derivative(parseActivation(name), tensor(Float64Array.from(at), [at.length])).numbers());

/** f″ from f′ on short pieces that begin at `at`. */
function curvatures(name: string, at: readonly number[], length: number): number[] {
  const [left, right] = [
    slopes(name, at),
    slopes(
      name,
      at.map((x) => x + length),
    ),
  ];
  return at.map((_, index) => (right[index]! - left[index]!) / length);
}

const all = [
  ...activationNames,
  ...['leaky-relu(0.3)', 'softplus(10)', 'softplus(0.5)', 'parametric-softplus(3)', 'elu(0.5)', 'elu(2)'],
  ...['celu(0.5)', 'celu(4)', 'smooth-relu(5)', 'psilu(3)'],
];

describe('the table of activations', () => {
  for (const name of all) {
    const { curvature, smoothness } = parseActivation(name);
    /** The scale on which the slope changes. */
    const unit = Number.isFinite(curvature) ? Math.min(1, 1 / curvature) : 1;
    const jump = (size: number) => {
      const [below = Number.NaN, above = Number.NaN] = slopes(name, [-size, size]);
      return Math.abs(above - below);
    };

    it(`says of ${name} whether f′ jumps (${smoothness})`, () => {
      if (smoothness === 'C⁰') assert.ok(jump(1e-12) > 0.1, `${jump(1e-12)}`);
      else for (const size of [1e-6, 1e-9, 1e-12]) assert.ok(jump(size * unit) <= 3 * size, `${jump(size)}`);
    });

    if (smoothness === 'C⁰') {
      it(`says of ${name} that |f″| has no bound`, () => {
        assert.equal(curvature, Number.POSITIVE_INFINITY);
      });
      continue;
    }

    it(`says of ${name} whether f″ jumps (${smoothness})`, () => {
      const piece = 1e-6 * unit;
      const [below = Number.NaN, above = Number.NaN] = curvatures(name, [-piece, 0], piece);
      const difference = Math.abs(above - below) / curvature;
      assert.equal(difference > 0.5, smoothness === 'C¹', `${below} and ${above}`);
    });

    it(`says of ${name} what the largest |f″| is (${curvature})`, () => {
      // pieces that begin at 0 and end there, and others
      const at = Array.from({ length: 4001 }, (_, index) => (index - 2000) * 0.005 * unit);
      const piece = 1e-6 * unit;
      const found = curvatures(name, [...at, -piece], piece).map(Math.abs);
      const largest = Math.max(...found);
      assert.ok(Math.abs(largest - curvature) <= 1e-4 * curvature, `${largest}`);
    });
  }
});
