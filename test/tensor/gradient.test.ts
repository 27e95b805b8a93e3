/** Gradients against central differences in float64: an oracle that shares nothing with libtorch's derivative formulas. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { derivative as derivativeOf, forward } from '../../src/activations/activation.js';
import { activationNames, parseActivation } from '../../src/activations/parse.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { crossEntropy } from '../../src/nn/losses.js';
import { cat, integers, stack, tensor, where } from '../../src/tensor/create.js';
import {
  averagePool,
  batchNorm,
  channelMoments,
  conv2d,
  globalAveragePool,
  linear,
  logSoftmax,
  matmul,
  maxPool,
  pad,
  softmax,
} from '../../src/tensor/functional.js';
import { gradient } from '../../src/tensor/gradient.js';
import { scope } from '../../src/tensor/scope.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { assertClose, double } from '../support/close.js';
import { assertGradient, normals } from '../support/finite-differences.js';

setThreads(1);

const positive = (shape: readonly number[]) => normals(shape).abs().add(0.5);
const labels = () => integers([3, 0, 2]);
const condition = () => normals([2, 3], 7).greater(0);

/** Inputs, and the function of them whose gradient is checked. */
type Check = readonly [inputs: () => readonly Tensor[], body: (...inputs: Tensor[]) => Tensor];

const image = [2, 3, 5, 5] as const;

function norm(train: boolean, keepStatistics = false): Check {
  return [
    () => [normals([3, 2, 2, 3]), positive([2]), normals([2], 2)],
    (x, weight, bias) =>
      batchNorm(x!, {
        weight: weight!,
        bias: bias!,
        runningMean: keepStatistics ? null : normals([2], 3),
        runningVariance: keepStatistics ? null : positive([2]),
        train,
        momentum: 0.1,
        epsilon: 1e-5,
      }),
  ];
}

function convolution(options: { kernel: number; stride: number; padding: number; bias: boolean }): Check {
  const { kernel, stride, padding, bias } = options;
  return [
    () => [normals(image), normals([2, 3, kernel, kernel], 1), ...(bias ? [normals([2], 2)] : [])],
    (x, weight, bias) => conv2d(x!, weight!, { bias: bias ?? null, stride, padding }),
  ];
}

function entropy(reduction: 'none' | 'mean' | 'sum', labelSmoothing: number): Check {
  return [
    () => [normals([3, 4])],
    (logits) => crossEntropy(logits!, labels(), { reduction, labelSmoothing }),
  ];
}

const binary = (body: (a: Tensor, b: Tensor) => Tensor): Check => [
  () => [normals([2, 1, 3]), positive([4, 1])],
  (a, b) => body(a!, b!),
];
const unary = (body: (x: Tensor) => Tensor): Check => [() => [normals([2, 3, 4])], (x) => body(x!)];
const unaryPositive = (body: (x: Tensor) => Tensor): Check => [() => [positive([2, 3])], (x) => body(x!)];
const onImage = (body: (x: Tensor) => Tensor): Check => [() => [normals(image)], (x) => body(x!)];

const checks: Readonly<Record<string, Check>> = {
  'conv2d 3x3': convolution({ kernel: 3, stride: 1, padding: 1, bias: false }),
  'conv2d 3x3 with bias': convolution({ kernel: 3, stride: 1, padding: 1, bias: true }),
  'conv2d 3x3, stride 2': convolution({ kernel: 3, stride: 2, padding: 1, bias: false }),
  'conv2d 3x3 without padding': convolution({ kernel: 3, stride: 1, padding: 0, bias: true }),
  'conv2d 1x1, stride 2': convolution({ kernel: 1, stride: 2, padding: 0, bias: false }),
  'batchNorm in training': norm(true),
  'batchNorm in training without running statistics': norm(true, true),
  'batchNorm in evaluation': norm(false),
  linear: [
    () => [normals([3, 4]), normals([2, 4], 1), normals([2], 2)],
    (x, weight, bias) => linear(x!, weight!, bias!),
  ],
  matmul: [() => [normals([3, 4]), normals([4, 2], 1)], (a, b) => matmul(a!, b!)],
  averagePool: onImage((x) => averagePool(x, 2)),
  'averagePool, overlapping': onImage((x) => averagePool(x, 3, 1)),
  maxPool: onImage((x) => maxPool(x, 2)),
  'maxPool, overlapping and padded': onImage((x) => maxPool(x, 3, { stride: 2, padding: 1 })),
  globalAveragePool: onImage(globalAveragePool),
  'pad with a constant': onImage((x) => pad(x, [1, 2, 0, 1], 0.5)),
  'pad of channels': onImage((x) => pad(x, [0, 0, 0, 0, 1, 1])),
  'channelMoments, mean': onImage((x) => channelMoments(x).mean),
  'channelMoments, variance': onImage((x) => channelMoments(x).variance),
  'crossEntropy, mean': entropy('mean', 0),
  'crossEntropy, sum': entropy('sum', 0),
  'crossEntropy, none': entropy('none', 0),
  'crossEntropy with label smoothing': entropy('mean', 0.1),
  'crossEntropy with label smoothing, none': entropy('none', 0.3),
  logSoftmax: unary(logSoftmax),
  'logSoftmax along channels': unary((x) => logSoftmax(x, 1)),
  softmax: unary(softmax),
  add: binary((a, b) => a.add(b)),
  sub: binary((a, b) => a.sub(b)),
  mul: binary((a, b) => a.mul(b)),
  div: binary((a, b) => a.div(b)),
  minimum: binary((a, b) => a.minimum(b)),
  maximum: binary((a, b) => a.maximum(b)),
  'add, mul, sub and div of numbers': unary((x) => x.add(3).mul(-2).sub(0.5).div(4)),
  where: [() => [normals([2, 3]), normals([2, 3], 1)], (a, b) => where(condition(), a!, b!)],
  neg: unary((x) => x.neg()),
  abs: unary((x) => x.abs()),
  exp: unary((x) => x.exp()),
  tanh: unary((x) => x.tanh()),
  sigmoid: unary((x) => x.sigmoid()),
  clamp: unary((x) => x.clamp(-0.5, 0.75)),
  log: unaryPositive((x) => x.log()),
  sqrt: unaryPositive((x) => x.sqrt()),
  rsqrt: unaryPositive((x) => x.rsqrt()),
  'pow of a fraction': unaryPositive((x) => x.pow(0.3)),
  'pow of -1': unaryPositive((x) => x.pow(-1)),
  sum: unary((x) => x.sum()),
  'sum over dimensions': unary((x) => x.sum([0, 2])),
  mean: unary((x) => x.mean()),
  'mean over dimensions': unary((x) => x.mean([1], true)),
  max: unary((x) => x.max([1])),
  min: unary((x) => x.min([0, 2])),
  l2Norm: unary((x) => x.l2Norm([1, 2], true)),
  topk: unary((x) => x.topk(2).values),
  indexSelect: unary((x) => x.indexSelect(1, integers([2, 0, 2]))),
  gather: [() => [normals([3, 4])], (x) => x!.gather(1, tensor(BigInt64Array.of(2n, 0n, 1n), [3, 1]))],
  'index of rows and columns': [
    () => [normals([3, 4])],
    (x) => x!.index([integers([0, 2]).unsqueeze(1), integers([3, 1, 1])]),
  ],
  'cat and stack': binary((a, b) =>
    cat([a.reshape([6]), b.reshape([4])]).add(stack([a.sum(), b.sum()]).sum()),
  ),
  'reshape, flatten, unsqueeze, expand': unary((x) =>
    x.reshape([4, 6]).flatten().unsqueeze(0).expand([2, 24]),
  ),
  'permute, transpose, contiguous, clone': unary((x) =>
    x.permute([2, 0, 1]).transpose(0, 1).contiguous().clone(),
  ),
  'narrow and slice': unary((x) => x.narrow(1, 1, 2).slice(2, 0, 4, 2)),
  'to another memory format': onImage((x) => x.contiguous('channels-last').mul(2)),
};

describe('gradients equal finite differences', () => {
  for (const [name, [inputs, body]] of Object.entries(checks))
    it(name, () => scope(() => assertGradient(inputs(), body)));

  it('a wrong gradient is found', () => {
    const detached = (x: Tensor) => x.mul(x.detach()); // its gradient lacks half
    assert.throws(() => scope(() => assertGradient([normals([3])], detached)), /gradient of input 0/);
  });
});

describe('activations', () => {
  const written = [...activationNames, 'leaky-relu(0.2)', 'softplus(10)', 'elu(0.5)'];
  const tails = [0.5, -0.5, 1, -1, 20, -20, 100, -100, 1e4, -1e4];

  it('there are some', () => assert.ok(activationNames.length >= 6));

  for (const text of written) {
    it(`the gradient of ${text} equals finite differences`, () => {
      const activation = parseActivation(text);
      scope(() => assertGradient([normals([4, 5])], (x) => forward(activation, x)));
    });

    it(`the derivative of ${text} equals its gradient, at 0 and in the tails too`, () => {
      const activation = parseActivation(text);
      scope(() => {
        const points = tensor(Float64Array.from([0, ...tails, ...normals([40]).mul(3).numbers()]), [51]);
        points.requireGrad_();
        const slope = gradient(forward(activation, points).sum(), points);
        const derivative = derivativeOf(activation, points.detach());
        // libtorch's softplus is x itself where βx > 20: its gradient 1 is 2e-9 off there.
        assertClose(derivative.numbers(), slope.numbers(), { ...double, absolute: 3e-9 }, text);
        assert.equal(derivative.dtype, 'float64');
      });
    });
  }
});
