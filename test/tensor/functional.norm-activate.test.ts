/** The fused kernel (channels-last float32) against libtorch's operators in float64: batch norm, and the activation's twin. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setThreads } from '../../src/engine/engine-info.js';
import { tensor } from '../../src/tensor/create.js';
import {
  type ActivateOptions,
  type ActivationKind,
  batchNorm,
  normActivate,
} from '../../src/tensor/functional.js';
import { gradients } from '../../src/tensor/gradient.js';
import { scope } from '../../src/tensor/scope.js';
import type { Dtype, Tensor } from '../../src/tensor/tensor.js';
import { assertClose } from '../support/close.js';
import { coefficientsOf, composed, curveOf, kinds } from '../support/curves.js';
import { normals } from '../support/finite-differences.js';

setThreads(1);

interface Choice {
  readonly shape: readonly [number, number, number, number];
  readonly train: boolean;
  readonly residual: boolean;
  readonly activation: ActivationKind;
  /** Coefficients are given as learned ones and get a gradient; or the gradient takes another's derivative. */
  readonly variant?: 'learned' | 'derivative' | undefined;
  /** Whether running statistics move along. */
  readonly statistics: boolean;
}

interface Found {
  readonly output: Float64Array;
  /** Of x, the residual where there is one, in training of weight and bias, and of learned coefficients. */
  readonly slopes: readonly Float64Array[];
  readonly statistics: readonly Float64Array[];
}

/** The operator and its gradients; `fused` in float32 and channels-last, otherwise libtorch's in float64. */
function run(choice: Choice, fused: boolean): Found {
  const { shape, train, activation, variant } = choice;
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
    const coefficients =
      variant === 'learned'
        ? leaf(tensor(Float64Array.from(coefficientsOf[activation]), [coefficientsOf[activation].length]))
        : undefined;
    const derivative = variant === 'derivative' ? ({ kind: 'softplus', a: 4 } as const) : undefined;
    const activate: ActivateOptions = { curve: curveOf(activation), coefficients, derivative };
    const plain = () => {
      const sum = residual === undefined ? batchNorm(x, options) : batchNorm(x, options).add(residual);
      return composed(sum, activate);
    };
    const output = fused ? normActivate(x, { ...options, residual, ...activate }) : plain();
    const upstream = leaf(normals(shape, 7)).detach();
    const given = [residual, coefficients].filter((each) => each !== undefined);
    const wanted = [x, ...given, ...(train ? [weight, bias] : [])];
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
] as const;
/** More than the kernel adds up in float32 before it goes on in float64. */
const large = [8, 33, 16, 16] as const;

function assertSame(choice: Choice): void {
  const [actual, expected] = [run(choice, true), run(choice, false)];
  const name = `${choice.variant ?? ''} ${choice.shape}`;
  assertClose(actual.output, expected.output, { relative: 1e-5, absolute: 1e-5 }, `output of ${name}`);
  assert.equal(actual.slopes.length, expected.slopes.length);
  for (const [place, slope] of expected.slopes.entries()) {
    const largest = slope.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
    const tolerance = { relative: 1e-5, absolute: 3e-6 * Math.max(1, largest) };
    assertClose(actual.slopes[place]!, slope, tolerance, `gradient ${place} of ${name}`);
  }
  for (const [place, each] of expected.statistics.entries())
    assertClose(
      actual.statistics[place]!,
      each,
      { relative: 1e-6, absolute: 1e-6 },
      `statistics ${place} of ${name}`,
    );
}

describe('batch norm, residual and activation in one', () => {
  for (const activation of kinds)
    for (const train of [true, false])
      for (const residual of [true, false])
        it(`${activation}, ${train ? 'training' : 'evaluation'}, ${residual ? 'with' : 'without'} residual: values, gradients and statistics of libtorch in float64`, () => {
          for (const shape of activation === 'silu' ? [...shapes, large] : shapes)
            for (const statistics of train ? [true, false] : [true])
              assertSame({ shape, train, residual, activation, statistics });
        });

  for (const activation of kinds)
    it(`${activation}: the gradient of learned coefficients, and another’s derivative`, () => {
      const learns = coefficientsOf[activation].length > 0;
      for (const variant of learns ? (['learned', 'derivative'] as const) : (['derivative'] as const))
        for (const train of [true, false])
          for (const residual of [true, false])
            for (const shape of [...shapes.slice(3), ...(activation === 'pssilu' ? [large] : [])])
              assertSame({ shape, train, residual, activation, statistics: true, variant });
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
});
