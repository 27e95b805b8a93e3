/** What the kernels promise besides numbers: any layout, any place, any number of threads, and refusals. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { setThreads } from '../../src/engine/engine-info.js';
import { EngineError } from '../../src/errors.js';
import { tensor } from '../../src/tensor/create.js';
import { type ActivateOptions, activate, activationKinds, type Curve } from '../../src/tensor/functional.js';
import { gradient, gradients, noGrad } from '../../src/tensor/gradient.js';
import { scope } from '../../src/tensor/scope.js';
import type { Dtype, Tensor } from '../../src/tensor/tensor.js';
import { assertClose } from '../support/close.js';
import { coefficientsOf, curveOf, kinds, ways } from '../support/curves.js';
import { normals } from '../support/finite-differences.js';

setThreads(1);

const dtypes = ['float32', 'float64'] as const;
const learned = kinds.filter((kind) => coefficientsOf[kind].length > 0);
const spread = (shape: readonly number[], salt = 0): Tensor => normals(shape, salt).mul(3);
const coefficientTensor = (curve: Curve, dtype: Dtype): Tensor => {
  const numbers = coefficientsOf[curve.kind];
  return tensor(Float64Array.from(numbers), [numbers.length]).to(dtype);
};

/** f(x) and upstream · f′(x), with x as it lies in memory. */
function run(x: Tensor, upstream: Tensor, options: ActivateOptions): readonly [Float64Array, Float64Array] {
  return scope(() => {
    const leaf = x.requiresGrad ? x : x.detach().requireGrad_();
    const y = activate(leaf, options);
    const [slope] = gradients([y], [leaf], { outputGradients: [upstream] });
    return [y.numbers(), slope!.numbers()];
  });
}

/** The same of each number by itself. */
function oneByOne(x: Tensor, upstream: Tensor, curve: Curve): readonly [Float64Array, Float64Array] {
  const [points, slopes] = [x.numbers(), upstream.numbers()];
  const alone = Array.from(points, (point, place) =>
    scope(() => {
      const number = (value: number) => tensor(Float64Array.of(value), []).to(x.dtype);
      return run(number(point), number(slopes[place]!), { curve }).map((each) => each[0]!);
    }),
  );
  return [Float64Array.from(alone, (each) => each[0]!), Float64Array.from(alone, (each) => each[1]!)];
}

/** Views of one sort or another; sizes that no vector divides. */
const layouts: Readonly<Record<string, (dtype: Dtype) => Tensor>> = {
  'a long row': (dtype) => spread([331]).to(dtype),
  'an odd block': (dtype) => spread([3, 5, 7]).to(dtype),
  'channels last': (dtype) => spread([2, 3, 5, 7]).to(dtype).contiguous('channels-last'),
  permuted: (dtype) => spread([5, 3, 7]).to(dtype).permute([2, 0, 1]),
  'every second': (dtype) => spread([9, 14]).to(dtype).slice(1, 1, 14, 2),
  'part of channels last': (dtype) =>
    spread([2, 6, 5, 3]).to(dtype).contiguous('channels-last').narrow(1, 1, 3),
  expanded: (dtype) => spread([4, 1]).to(dtype).expand([4, 6]),
  'one number': (dtype) => spread([]).to(dtype),
  empty: (dtype) => spread([4, 3]).to(dtype).narrow(0, 0, 0),
};

describe('activation kernels', () => {
  it('know the kinds by the names and numbers of the C++ list', () => {
    const header = readFileSync(new URL('../../../native/activation_kinds.h', import.meta.url), 'utf8');
    const listed = [...header.matchAll(/KIND\(\w+, (\d+), "([\w-]+)", (\d)\)/g)];
    assert.deepEqual(
      Object.fromEntries(listed.map(([, number, name]) => [name, Number(number)])),
      activationKinds,
    );
    for (const [, , name, count] of listed)
      assert.equal(
        Object.entries(coefficientsOf).find(([kind]) => kind === name)![1].length,
        Number(count),
        name,
      );
  });

  it('are composed of libtorch’s operators on a device that has none', () =>
    scope(() => {
      const x = spread([2, 3]).to('float32').toDevice('meta').detach().requireGrad_();
      // those whose operators libtorch 1.13 has for it
      for (const kind of ['identity', 'silu', 'gelu-tanh'] as const) {
        const y = activate(x, { curve: curveOf(kind) });
        const [slope] = gradients([y.sum()], [x]);
        for (const each of [y, slope!, noGrad(() => activate(x, { curve: curveOf(kind) }))])
          assert.deepEqual([each.device, each.shape], ['meta', x.shape], kind);
      }
    }));

  for (const kind of kinds)
    it(`${kind}: an element becomes the same wherever it lies, in every layout`, () => {
      for (const dtype of dtypes)
        for (const [name, layout] of Object.entries(layouts))
          scope(() => {
            const x = layout(dtype);
            const upstream = spread(x.shape, 1).to(dtype);
            const [y, slope] = run(x, upstream, { curve: curveOf(kind) });
            const [expectedY, expectedSlope] = oneByOne(x, upstream, curveOf(kind));
            assert.deepEqual(y, expectedY, `${name}, ${dtype}`);
            assert.deepEqual(slope, expectedSlope, `${name}, ${dtype}`);
          });
    });

  it('keep x’s layout and shape, and hand a gradient through an expanded x', () => {
    scope(() => {
      const x = layouts['channels last']!('float32');
      const y = activate(x, { curve: curveOf('silu') });
      assert.deepEqual(y.shape, x.shape);
      assert.deepEqual(
        y.permute([0, 2, 3, 1]).reshape([-1]).numbers(),
        activate(x.permute([0, 2, 3, 1]), { curve: curveOf('silu') })
          .reshape([-1])
          .numbers(),
      );
      const row = spread([4, 1]).requireGrad_();
      const summed = gradient(activate(row.expand([4, 6]), { curve: curveOf('mish') }).sum(), row);
      const once = gradient(activate(row, { curve: curveOf('mish') }).sum(), row);
      assertClose(summed.numbers(), once.mul(6).numbers(), { relative: 1e-14, absolute: 0 }, 'gradient');
    });
  });

  for (const kind of kinds)
    it(`${kind} with another’s derivative: its own numbers forward, and the other’s backward, to the bit`, () => {
      for (const [way, compute] of Object.entries(ways))
        for (const dtype of dtypes)
          for (const other of kinds)
            scope(() => {
              const [curve, derivative] = [curveOf(kind), curveOf(other)];
              const x = spread([71]).to(dtype).requireGrad_();
              const upstream = spread([71], 1).to(dtype);
              const slopeOf = (y: Tensor) =>
                gradients([y], [x], { outputGradients: [upstream] })[0]!.numbers();
              const both = compute(x, { curve, derivative });
              assert.deepEqual(both.numbers(), compute(x, { curve }).numbers(), `${way}, ${other}`);
              assert.deepEqual(slopeOf(both), slopeOf(compute(x, { curve: derivative })), `${way}, ${other}`);
            });
    });

  for (const kind of learned)
    it(`${kind}: the coefficients’ gradient of many numbers is the sum of its terms`, () => {
      scope(() => {
        const [x, upstream] = [spread([3, 70_001]).to('float32'), spread([3, 70_001], 1).to('float32')];
        const of = (dtype: Dtype, weights: Tensor) => {
          const coefficients = coefficientTensor(curveOf(kind), dtype).requireGrad_();
          const y = activate(x.to(dtype), { curve: { kind }, coefficients });
          return gradients([y], [coefficients], { outputGradients: [weights.to(dtype)] })[0]!.numbers();
        };
        // No coefficient's slope changes its sign but PSSiLU's: |upstream| bounds the terms from above or nearly so.
        const [sums, exact, sizes] = [
          of('float32', upstream),
          of('float64', upstream),
          of('float64', upstream.abs()),
        ];
        for (const [place, expected] of exact.entries())
          assertClose(
            [sums[place]!],
            [expected],
            { relative: 0, absolute: 1e-6 * Math.abs(sizes[place]!) },
            `gradient ${place}`,
          );
      });
    });

  it('give the same on two threads as on one', () => {
    for (const kind of kinds)
      for (const dtype of dtypes)
        scope(() => {
          const count = 2 * 32_768 + 77;
          const [x, upstream] = [spread([count]).to(dtype).requireGrad_(), spread([count], 1).to(dtype)];
          const results = [1, 2, 2].map((threads) => {
            setThreads(threads);
            const learns = coefficientsOf[kind].length > 0;
            const coefficients = learns ? coefficientTensor(curveOf(kind), dtype).requireGrad_() : undefined;
            const y = activate(x, { curve: curveOf(kind), coefficients });
            const wanted = [x, ...(coefficients === undefined ? [] : [coefficients])];
            return [y, ...gradients([y], wanted, { outputGradients: [upstream] })].map((each) =>
              each.numbers(),
            );
          });
          setThreads(1);
          assert.deepEqual(results[1]!.slice(0, 2), results[0]!.slice(0, 2), kind);
          assert.deepEqual(results[2], results[1], `${kind}, again`);
          for (const [place, sum] of (results[0]![2] ?? []).entries())
            assertClose([results[1]![2]![place]!], [sum], { relative: 1e-5, absolute: 1e-3 }, kind);
        });
  });

  it('compute half precision in float32', () => {
    for (const kind of kinds)
      for (const dtype of ['float16', 'bfloat16'] as const)
        scope(() => {
          const x = spread([50]).to(dtype);
          const y = activate(x, { curve: curveOf(kind) });
          assert.equal(y.dtype, dtype);
          const expected = activate(x.to('float32'), { curve: curveOf(kind) }).to(dtype);
          assert.deepEqual(y.to('float32').numbers(), expected.to('float32').numbers());
          if (!learned.includes(kind)) return;
          // parameters stay float32
          const coefficients = coefficientTensor(curveOf(kind), 'float32').requireGrad_();
          const again = activate(x, { curve: curveOf(kind), coefficients });
          assert.deepEqual(again.to('float32').numbers(), y.to('float32').numbers());
          assert.equal(gradient(again.to('float32').sum(), coefficients).dtype, 'float32');
        });
  });

  it('refuse what is no activation, a coefficient out of range, and coefficients that do not fit', () => {
    scope(() => {
      const x = spread([5]).to('float32');
      const numbers = (...values: number[]) => tensor(Float32Array.from(values), [values.length]);
      const tries: readonly (readonly [ActivateOptions, RegExp])[] = [
        [{ curve: { kind: 'softplus', a: 0 } }, /coefficient above 0 for softplus but received 0/],
        [{ curve: { kind: 'softplus', a: Number.NaN } }, /finite coefficient for softplus/],
        [{ curve: { kind: 'elu', a: -1 } }, /coefficient above 0 for elu/],
        [{ curve: { kind: 'celu' } }, /coefficient above 0 for celu/],
        [{ curve: { kind: 'smooth-relu', a: -2 } }, /at least 0 for smooth-relu/],
        [{ curve: { kind: 'leaky-relu', a: Number.POSITIVE_INFINITY } }, /finite coefficient for leaky-relu/],
        [{ curve: { kind: 'pssilu', a: 1, b: 1 } }, /second coefficient from 0 to below 1 for pssilu/],
        [{ curve: { kind: 'relu' }, derivative: { kind: 'softplus', a: -1 } }, /above 0 for softplus/],
        [{ curve: { kind: 'silu' }, coefficients: numbers(1) }, /no learned coefficients for silu/],
        [
          { curve: { kind: 'psilu' }, coefficients: numbers(1, 2) },
          /of shape \[1\] for psilu but received \[2\]/,
        ],
        [{ curve: { kind: 'pssilu' }, coefficients: numbers(1) }, /of shape \[2\] for pssilu/],
        [
          { curve: { kind: 'psilu' }, coefficients: numbers(1).to('float64') },
          /of x's dtype and device for psilu/,
        ],
        [{ curve: { kind: 'softplus' }, coefficients: numbers(-1) }, /above 0 for softplus but received -1/],
        [
          { curve: { kind: 'pssilu' }, coefficients: numbers(1, 1.5) },
          /second coefficient from 0 to below 1/,
        ],
      ];
      for (const [options, sentence] of tries)
        assert.throws(
          () => activate(x, options),
          (error) => error instanceof EngineError && sentence.test(error.message),
          String(sentence),
        );
      assert.throws(
        () => activate(tensor(Int32Array.of(1, 2), [2]), { curve: { kind: 'relu' } }),
        /floating dtype for an activation/,
      );
      // A coefficient that has become NaN is no mistake of the caller: it shows in the result.
      const lost = activate(x, { curve: { kind: 'psilu' }, coefficients: numbers(Number.NaN) });
      assert.ok(lost.numbers().every(Number.isNaN));
    });
  });

  it('refuse a learned coefficient’s gradient under another’s derivative, and give x’s', () => {
    for (const compute of Object.values(ways))
      scope(() => {
        const x = spread([5]).to('float32').requireGrad_();
        const coefficients = tensor(Float32Array.of(4), [1]).requireGrad_();
        const derivative = { kind: 'softplus', a: 10 } as const;
        const y = compute(x, { curve: { kind: 'smooth-relu' }, coefficients, derivative }).sum();
        const slope = gradient(y, x, { retainGraph: true });
        assert.deepEqual(slope.numbers(), gradient(compute(x, { curve: derivative }).sum(), x).numbers());
        assert.throws(
          () => gradient(y, coefficients),
          (error) =>
            error instanceof EngineError && /learned coefficient has no gradient/.test(error.message),
        );
      });
  });
});
