/** What the fused kernel promises besides its numbers: whose derivative, any place of a batch, and refusals. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setThreads } from '../../src/engine/engine-info.js';
import { native } from '../../src/engine/native.js';
import { EngineError } from '../../src/errors.js';
import { tensor } from '../../src/tensor/create.js';
import { activate, batchNorm, normActivate } from '../../src/tensor/functional.js';
import { gradient } from '../../src/tensor/gradient.js';
import { scope } from '../../src/tensor/scope.js';
import { curveOf, kinds } from '../support/curves.js';
import { normals } from '../support/finite-differences.js';

setThreads(1);

describe('batch norm, residual and activation in one operator', () => {
  it('takes another’s derivative to the bit, and refuses a learned coefficient’s gradient under it', () => {
    for (const train of [true, false])
      scope(() => {
        const x = normals([3, 17, 5, 5]).to('float32').contiguous('channels-last').requireGrad_();
        const seventeen = (salt: number) => normals([17], salt).abs().add(0.5).to('float32');
        const norm = { weight: seventeen(1), bias: seventeen(2), momentum: 0.1, epsilon: 1e-5, train };
        const options = { ...norm, runningMean: seventeen(3), runningVariance: seventeen(4) };
        const derivative = curveOf('softplus');
        const coefficients = tensor(Float32Array.of(3), [1]).requireGrad_();
        const curve = { kind: 'smooth-relu' } as const;
        const both = normActivate(x, { ...options, curve, coefficients, derivative });
        assert.deepEqual(
          both.numbers(),
          normActivate(x, { ...options, curve: curveOf('smooth-relu') }).numbers(),
        );
        assert.deepEqual(
          gradient(both.sum(), x, { retainGraph: true }).numbers(),
          gradient(normActivate(x, { ...options, curve: derivative }).sum(), x).numbers(),
        );
        assert.throws(
          () => gradient(both.sum(), coefficients),
          (error) =>
            error instanceof EngineError && /learned coefficient has no gradient/.test(error.message),
        );
      });
  });

  it('gives an image the same numbers at every place of a batch', () => {
    scope(() => {
      const images = 7;
      const one = normals([1, 33, 5, 3]).to('float32');
      const batch = one.expand([images, 33, 5, 3]).contiguous('channels-last');
      const channels = (salt: number) => normals([33], salt).abs().add(0.5).to('float32');
      const norm = { weight: channels(1), bias: channels(2), momentum: 0.1, epsilon: 1e-5, train: false };
      const options = { ...norm, runningMean: channels(3), runningVariance: channels(4) };
      for (const kind of kinds) {
        const y = normActivate(batch, { ...options, curve: curveOf(kind) });
        const first = y.narrow(0, 0, 1).numbers();
        for (let place = 1; place < images; place++)
          assert.deepEqual(y.narrow(0, place, 1).numbers(), first, `${kind}, image ${place}`);
      }
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
        [x, null, eight(), eight(), eight(), null, true, 0.1, 1e-5, null, [1, 0, 0]],
        [x, null, eight(), eight(), null, eight(), true, 0.1, 1e-5, null, [1, 0, 0]],
        [x, null, eight(), eight(), null, null, false, 0.1, 1e-5, null, [1, 0, 0]],
        [x, null, three(), eight(), null, null, true, 0.1, 1e-5, null, [1, 0, 0]],
        [x, null, eight(), eight(), three(), three(), true, 0.1, 1e-5, null, [1, 0, 0]],
        [x, three(), eight(), eight(), eight(), eight(), true, 0.1, 1e-5, null, [1, 0, 0]],
        [x, null, eight(), eight(), eight(), eight(), true, 0.1, 1e-5, null, [99, 0, 0]],
        [x, null, eight(), eight(), eight(), eight(), false, Number.NaN, -1, null, [-(2 ** 53), 0, 0]],
        [x, null, eight(), eight(), eight(), eight(), true, 0.1, 1e-5, null, [Number.NaN, 0, 0]],
        [x, null, eight(), eight(), eight(), eight(), true, 0.1, 1e-5, null, [1e300, 0, 0]],
        [x, null, eight(), eight(), eight(), eight(), true, 0.1, 1e-5, null, []],
        [x, null, eight(), eight(), eight(), eight(), true, 0.1, 1e-5, null, [1, 0, 0, 2]],
        [three(), null, eight(), eight(), null, null, true, 0.1, 1e-5, null, [0, 0, 0]],
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

  it('is batch norm, addition and activation where the kernel does not serve', () => {
    for (const [dtype, format] of [
      ['float64', 'channels-last'],
      ['float32', 'contiguous'],
    ] as const)
      scope(() => {
        const [x, residual] = [1, 2].map((salt) => normals([2, 5, 3, 3], salt).to(dtype).contiguous(format));
        const channels = (salt: number) => normals([5], salt).abs().add(0.5).to(dtype);
        const norm = { weight: channels(1), bias: channels(2), momentum: 0.1, epsilon: 1e-5, train: false };
        const options = { ...norm, runningMean: channels(3), runningVariance: channels(4) };
        const curve = curveOf('mish');
        assert.deepEqual(
          normActivate(x!, { ...options, residual, curve }).numbers(),
          activate(batchNorm(x!, options).add(residual!), { curve }).numbers(),
        );
      });
  });
});
