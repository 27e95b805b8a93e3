/** The fused kernel (channels-last float32) against libtorch's operators in float64. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EngineError } from '../src/errors.js';
import { native } from '../src/native.js';
import { tensor } from '../src/tensor/create.js';
import { setThreads } from '../src/tensor/engine.js';
import { type ActivationKind, batchNorm, normActivate } from '../src/tensor/functional.js';
import { gradient, gradients } from '../src/tensor/gradient.js';
import { scope } from '../src/tensor/scope.js';
import type { Dtype, Tensor } from '../src/tensor/tensor.js';
import { assertClose } from './support/close.js';
import { normals } from './support/finite-differences.js';

setThreads(1);

interface Choice {
  readonly shape: readonly [number, number, number, number];
  readonly train: boolean;
  readonly residual: boolean;
  readonly activation: ActivationKind;
  /** Whether running statistics move along. */
  readonly statistics: boolean;
}

interface Found {
  readonly output: Float64Array;
  /** Of x, the residual where there is one, and in training of weight and bias. */
  readonly slopes: readonly Float64Array[];
  readonly statistics: readonly Float64Array[];
}

/** The operator and its gradients; `fused` in float32 and channels-last, otherwise libtorch's own in float64. */
function run(choice: Choice, fused: boolean): Found {
  const { shape, train, activation } = choice;
  const channels = shape[1];
  const dtype: Dtype = fused ? 'float32' : 'float64';
  const exact = (values: Tensor) => values.to('float32').to(dtype);
  const leaf = (values: Tensor) => exact(values).requireGrad_();
  const image = (salt: number) =>
    (fused ? exact(normals(shape, salt)).contiguous('channels-last') : exact(normals(shape, salt)))
      .detach()
      .requireGrad_();
  return scope(() => {
    const x = image(1);
    const residual = choice.residual ? image(2) : undefined;
    const weight = exact(normals([channels], 3).abs().add(0.5));
    const bias = exact(normals([channels], 4));
    if (train) for (const each of [weight, bias]) each.requireGrad_();
    const runningMean = choice.statistics ? exact(normals([channels], 5)) : null;
    const runningVariance = choice.statistics ? exact(normals([channels], 6).abs().add(0.5)) : null;
    const options = { weight, bias, runningMean, runningVariance, train, momentum: 0.1, epsilon: 1e-5 };
    const plain = () => {
      const sum = residual === undefined ? batchNorm(x, options) : batchNorm(x, options).add(residual);
      if (activation === 'identity') return sum;
      return activation === 'relu' ? sum.maximum(sum.mul(0)) : sum.mul(sum.sigmoid());
    };
    const output = fused ? normActivate(x, { ...options, residual, curve: { kind: activation } }) : plain();
    const upstream = leaf(normals(shape, 7)).detach();
    const wanted = [x, ...(residual === undefined ? [] : [residual]), ...(train ? [weight, bias] : [])];
    return {
      output: output.numbers(),
      slopes: gradients([output], wanted, { outputGradients: [upstream] }).map((slope) => slope.numbers()),
      statistics: [runningMean, runningVariance].flatMap((each) => (each === null ? [] : [each.numbers()])),
    };
  });
}

const shapes = [
  [2, 1, 3, 3],
  [3, 3, 4, 5],
  [2, 8, 5, 3],
  [4, 16, 6, 6],
  [2, 17, 2, 2],
  [8, 33, 16, 16],
] as const;

describe('batch norm, residual and activation in one', () => {
  for (const activation of ['identity', 'relu', 'silu'] as const)
    for (const train of [true, false])
      for (const residual of [true, false])
        it(`${activation}, ${train ? 'training' : 'evaluation'}, ${residual ? 'with' : 'without'} residual: values, gradients and statistics of libtorch in float64`, () => {
          for (const shape of shapes)
            for (const statistics of train ? [true, false] : [true]) {
              const choice = { shape, train, residual, activation, statistics };
              const [actual, expected] = [run(choice, true), run(choice, false)];
              const tolerance = { relative: 1e-5, absolute: 1e-5 };
              assertClose(actual.output, expected.output, tolerance, `output of ${shape}`);
              assert.equal(actual.slopes.length, expected.slopes.length);
              for (const [place, slope] of expected.slopes.entries()) {
                const largest = slope.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
                assertClose(
                  actual.slopes[place]!,
                  slope,
                  { relative: 1e-5, absolute: 3e-6 * Math.max(1, largest) },
                  `gradient ${place} of ${shape}`,
                );
              }
              for (const [place, each] of expected.statistics.entries())
                assertClose(
                  actual.statistics[place]!,
                  each,
                  { relative: 1e-6, absolute: 1e-6 },
                  `statistics ${place} of ${shape}`,
                );
            }
        });

  it('gives the same on two threads as on one, up to the order of its sums', () => {
    const choice = {
      shape: [8, 16, 32, 32],
      train: true,
      residual: true,
      activation: 'silu',
      statistics: true,
    } as const;
    const one = run(choice, true);
    setThreads(2);
    const two = run(choice, true);
    setThreads(1);
    assertClose(two.output, one.output, { relative: 1e-6, absolute: 1e-6 }, 'output');
    for (const [place, slope] of one.slopes.entries())
      assertClose(two.slopes[place]!, slope, { relative: 1e-5, absolute: 1e-4 }, `gradient ${place}`);
  });

  it('keeps a mean far from 0 from eating the variance', () => {
    scope(() => {
      const values = normals([4, 2, 5, 5]).mul(0.01).add(1000).to('float32');
      const [weight, bias] = [normals([2]).mul(0).add(1).to('float32'), normals([2]).mul(0).to('float32')];
      const options = {
        weight,
        bias,
        runningMean: null,
        runningVariance: null,
        train: true,
        momentum: 0.1,
        epsilon: 1e-12,
      };
      const fused = normActivate(values.contiguous('channels-last'), {
        ...options,
        curve: { kind: 'identity' },
      });
      const exact = { ...options, weight: weight.to('float64'), bias: bias.to('float64') };
      assertClose(
        fused.numbers(),
        batchNorm(values.to('float64'), exact).numbers(),
        { relative: 1e-2, absolute: 2e-2 },
        'normalised',
      );
    });
  });

  it('refuses second derivatives with a sentence', () => {
    scope(() => {
      const x = normals([2, 8, 3, 3]).to('float32').contiguous('channels-last').requireGrad_();
      const [weight, bias] = [normals([8]).to('float32'), normals([8]).to('float32')];
      const options = {
        weight,
        bias,
        runningMean: null,
        runningVariance: null,
        train: true,
        momentum: 0.1,
        epsilon: 1e-5,
      };
      const output = normActivate(x, { ...options, curve: { kind: 'silu' } });
      assert.throws(
        () => gradient(output.sum(), x, { createGraph: true }),
        (error) => error instanceof EngineError && /no second derivatives/.test(error.message),
      );
    });
  });

  it('survives wrong arguments: one statistic without the other, wrong lengths, unknown activations', () => {
    const call = (...values: readonly unknown[]) => {
      const engine = native();
      const result = Reflect.apply(engine.call, undefined, [
        engine.findOperator('satin::norm_activate', ''),
        ...values,
      ]);
      engine.release(result);
    };
    scope(() => {
      const x = normals([2, 8, 3, 3]).to('float32').contiguous('channels-last').handle;
      const eight = () => tensor(new Float32Array(8).fill(1), [8]).handle;
      const three = () => tensor(new Float32Array(3).fill(1), [3]).handle;
      const tries: readonly (readonly unknown[])[] = [
        [x, null, eight(), eight(), eight(), null, true, 0.1, 1e-5, null, 1, 0, 0, -1, 0, 0],
        [x, null, eight(), eight(), null, eight(), true, 0.1, 1e-5, null, 1, 0, 0, -1, 0, 0],
        [x, null, eight(), eight(), null, null, false, 0.1, 1e-5, null, 1, 0, 0, -1, 0, 0],
        [x, null, three(), eight(), null, null, true, 0.1, 1e-5, null, 1, 0, 0, -1, 0, 0],
        [x, null, eight(), eight(), three(), three(), true, 0.1, 1e-5, null, 1, 0, 0, -1, 0, 0],
        [x, three(), eight(), eight(), eight(), eight(), true, 0.1, 1e-5, null, 1, 0, 0, -1, 0, 0],
        [x, null, eight(), eight(), eight(), eight(), true, 0.1, 1e-5, null, 99, 0, 0, -1, 0, 0],
        [
          x,
          null,
          eight(),
          eight(),
          eight(),
          eight(),
          false,
          Number.NaN,
          -1,
          null,
          -(2 ** 53),
          0,
          0,
          -1,
          0,
          0,
        ],
        [three(), null, eight(), eight(), null, null, true, 0.1, 1e-5, null, 0, 0, 0, -1, 0, 0],
      ];
      for (const values of tries)
        try {
          call(...values);
        } catch (error) {
          assert.ok(error instanceof EngineError, String(error));
        }
      assert.equal(normals([2]).size, 2);
    });
  });
});
