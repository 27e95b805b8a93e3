/** Every operator that Satin calls, on the device and on the CPU: values, and gradients where there are some. */
import { describe, it } from 'node:test';
import { projectInL1 } from '../../src/attacks/l1-projection.js';
import { type NormName, norms } from '../../src/attacks/norms.js';
import { stepToHyperplane } from '../../src/attacks/projection.js';
import { augment } from '../../src/data/augment.js';
import { crossEntropy, klDivergence } from '../../src/nn/losses.js';
import { cat, integers, stack, where, zerosLike } from '../../src/tensor/create.js';
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
import { gradients, withGrad } from '../../src/tensor/gradient.js';
import { noise } from '../../src/tensor/noise.js';
import { scope } from '../../src/tensor/scope.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { assertAlike, device } from '../support/test-device.js';

/** Numbers around 0, the same on every device. */
const draw = (id: number, shape: readonly number[], where: string) =>
  noise('normal', { key: { seed: 11, stream: 'bench' }, ids: [id], shape })
    .reshape(shape)
    .toDevice(where);

/** An operator of some tensors; it is differentiated with respect to each. */
interface Case {
  readonly shapes: readonly (readonly number[])[];
  readonly apply: (...tensors: Tensor[]) => Tensor | readonly Tensor[];
  readonly isConstant?: true;
}
const image = [3, 4, 9, 7];
const unary = (apply: (x: Tensor) => Tensor): Case => ({ shapes: [image], apply });
const binary = (apply: (x: Tensor, y: Tensor) => Tensor): Case => ({ shapes: [image, image], apply });
const constant = (apply: (x: Tensor) => Tensor | readonly Tensor[]): Case => ({
  shapes: [image],
  apply,
  isConstant: true,
});
const positive = (x: Tensor) => x.abs().add(0.1);
const labels = (x: Tensor) => integers([1, 0, 3], x.device);

const cases: Readonly<Record<string, Case>> = {
  add: binary((x, y) => x.add(y)),
  'add a number': unary((x) => x.add(0.3)),
  sub: binary((x, y) => x.sub(y)),
  mul: binary((x, y) => x.mul(y)),
  div: binary((x, y) => x.div(positive(y))),
  neg: unary((x) => x.neg()),
  abs: unary((x) => x.abs()),
  exp: unary((x) => x.exp()),
  log: unary((x) => positive(x).log()),
  sqrt: unary((x) => positive(x).sqrt()),
  rsqrt: unary((x) => positive(x).rsqrt()),
  tanh: unary((x) => x.tanh()),
  sigmoid: unary((x) => x.sigmoid()),
  pow: unary((x) => positive(x).pow(1.7)),
  clamp: unary((x) => x.clamp(-0.5, 0.5)),
  minimum: binary((x, y) => x.minimum(y)),
  maximum: binary((x, y) => x.maximum(y)),
  sum: unary((x) => x.sum()),
  'sum over dimensions': unary((x) => x.sum([1, 3], true)),
  mean: unary((x) => x.mean([0, 2])),
  max: unary((x) => x.max([1, 2])),
  min: unary((x) => x.min()),
  'L2 norm': unary((x) => x.l2Norm([1, 2, 3])),
  topk: unary((x) => x.topk(2).values),
  reshape: unary((x) => x.reshape([3, -1]).mul(2)),
  permute: unary((x) => x.permute([0, 2, 3, 1]).mul(2)),
  expand: unary((x) => x.narrow(0, 0, 1).expand([5, 4, 9, 7]).mul(2)),
  narrow: unary((x) => x.narrow(2, 1, 3).mul(2)),
  slice: unary((x) => x.slice(3, 1, 7, 2).mul(2)),
  indexSelect: unary((x) => x.indexSelect(0, integers([2, 0, 2], x.device))),
  gather: unary((x) => x.flatten(1).gather(1, integers([3, 1, 7], x.device).unsqueeze(1))),
  index: constant((x) => x.index([integers([0, 2], x.device), integers([1, 3], x.device)])),
  cat: binary((x, y) => cat([x, y], 1)),
  stack: binary((x, y) => stack([x, y])),
  where: binary((x, y) => where(x.greater(0), x, y)),
  matmul: {
    shapes: [
      [5, 40],
      [40, 6],
    ],
    apply: matmul,
  },
  linear: { shapes: [[5, 40], [6, 40], [6]], apply: linear },
  'conv2d 3x3': { shapes: [image, [16, 4, 3, 3]], apply: (x, w) => conv2d(x, w, { padding: 1 }) },
  'conv2d 3x3, 16 channels': {
    shapes: [
      [3, 16, 9, 7],
      [32, 16, 3, 3],
    ],
    apply: (x, w) => conv2d(x.contiguous('channels-last'), w.contiguous('channels-last'), { padding: 1 }),
  },
  'conv2d 1x1, stride 2': { shapes: [image, [8, 4, 1, 1]], apply: (x, w) => conv2d(x, w, { stride: 2 }) },
  'conv2d with a bias': { shapes: [image, [8, 4, 3, 3], [8]], apply: (x, w, bias) => conv2d(x, w, { bias }) },
  'conv2d of groups': {
    shapes: [image, [4, 1, 3, 3]],
    apply: (x, w) => conv2d(x, w, { padding: 1, groups: 4 }),
  },
  averagePool: unary((x) => averagePool(x, 2)),
  maxPool: unary((x) => maxPool(x, 3, { stride: 2, padding: 1 })),
  globalAveragePool: unary(globalAveragePool),
  pad: unary((x) => pad(x, [1, 2, 0, 1], 0.5)),
  softmax: unary((x) => softmax(x.flatten(1))),
  logSoftmax: unary((x) => logSoftmax(x.flatten(1))),
  'cross-entropy': unary((x) => crossEntropy(x.flatten(1), labels(x), { labelSmoothing: 0.1 })),
  'cross-entropy of each': unary((x) => crossEntropy(x.flatten(1), labels(x), { reduction: 'none' })),
  'KL divergence': binary((x, y) => klDivergence(logSoftmax(x.flatten(1)), logSoftmax(y.flatten(1)))),
  'batch norm of the batch': {
    shapes: [image, [4], [4]],
    apply: (x, weight, bias) =>
      batchNorm(x, {
        weight,
        bias,
        runningMean: null,
        runningVariance: null,
        train: true,
        momentum: 0.1,
        epsilon: 1e-5,
      }),
  },
  sign: constant((x) => x.sign()),
  argmax: constant((x) => x.flatten(1).argmax(1)),
  comparisons: constant((x) => [x.eq(0), x.ne(0), x.greater(0.1), x.less(-0.1), x.isFinite().not()]),
  channelMoments: constant((x) => Object.values(channelMoments(x))),
  'to int64': constant((x) => x.mul(10).to('int64')),
  'to bfloat16': constant((x) => x.to('bfloat16')),
  'in place': constant((x) => zerosLike(x).copy_(x).addNumber_(1).mul_(x).add_(x, -0.5)),
  augment: constant((x) => augment(x, { flip: true, crop: 2, seed: 1, epoch: 2, ids: [4, 5, 6] })),
  'step to a hyperplane, L∞': constant((x) => hyperplane('linf', x)),
  'step to a hyperplane, L2': constant((x) => hyperplane('l2', x)),
  'step to a hyperplane, L1': constant((x) => hyperplane('l1', x)),
  'projection onto L1 ball and box': constant((x) => projectInL1(x, draw(9, image, x.device).sigmoid(), 3)),
  'sparse direction': constant((x) => norms.l1.direction(x)),
};

function hyperplane(norm: NormName, x: Tensor): Tensor {
  const w = draw(9, image, x.device);
  return stepToHyperplane(norm, x.sigmoid(), { w, excess: draw(10, [3], x.device) });
}

describe(`operators on ${device}`, () => {
  for (const [name, { shapes, apply, isConstant = false }] of Object.entries(cases))
    it(name, () =>
      scope(() => {
        const at = (where: string) => {
          const inputs = shapes.map((shape, id) => {
            const tensor = draw(id, shape, where);
            return isConstant ? tensor : tensor.requireGrad_();
          });
          const result = withGrad(() => apply(...inputs));
          const outputs = Array.isArray(result) ? (result as readonly Tensor[]) : [result as Tensor];
          if (isConstant) return outputs;
          const upstream = outputs.map((each, id) => draw(20 + id, each.shape, where));
          return [...outputs, ...gradients(outputs, inputs, { outputGradients: upstream })];
        };
        assertAlike(name, at(device), at('cpu'));
      }),
    );
});
