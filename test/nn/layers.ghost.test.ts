/** Ghost batch norm of groups of images against PyTorch on the split batch: scripts/golden/ghost_batch_norm.py. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseActivation } from '../../src/activations/parse.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { InputError } from '../../src/errors.js';
import { ActivationLayer } from '../../src/nn/activation-layer.js';
import { Initialiser } from '../../src/nn/initialise.js';
import { BatchNorm2d } from '../../src/nn/layers.js';
import type { Pass } from '../../src/nn/module.js';
import { gradients, noGrad } from '../../src/tensor/gradient.js';
import { scope } from '../../src/tensor/scope.js';
import type { Dtype, Tensor } from '../../src/tensor/tensor.js';
import { assertClose, double, type Tolerance } from '../support/close.js';
import { fromGolden, type GoldenTensor, readGolden } from '../support/golden.js';

setThreads(1);

const inputs = ['x', 'residual', 'weight', 'bias'] as const;
type Case = Readonly<
  Record<
    (typeof inputs)[number] | 'upstream' | 'mean' | 'variance' | 'output' | 'meanAfter' | 'varianceAfter',
    GoldenTensor
  >
> & { readonly group: number; readonly slopes: Readonly<Record<(typeof inputs)[number], GoldenTensor>> };
const { cases } = readGolden<{ readonly cases: readonly Case[] }>('ghost-batch-norm');

/** A layer with the weights and running statistics of a case. */
function layerOf({ weight, bias, mean, variance }: Case, dtype: Dtype): BatchNorm2d {
  const norm = new BatchNorm2d({ channels: 3, initialiser: new Initialiser(0, dtype) });
  noGrad(() =>
    scope(() => {
      norm.weight.copy_(fromGolden(weight, dtype));
      norm.bias.copy_(fromGolden(bias, dtype));
      norm.runningMean.copy_(fromGolden(mean, dtype));
      norm.runningVariance.copy_(fromGolden(variance, dtype));
    }),
  );
  return norm;
}

const ways: readonly (readonly [name: string, dtype: Dtype, pass: Partial<Pass>, tolerance: Tolerance])[] = [
  ['libtorch’s operators', 'float64', {}, double],
  ['operators with second derivatives', 'float64', { doubleBackward: true }, double],
  ['the fused kernels', 'float32', {}, { relative: 2e-5, absolute: 2e-5 }],
];

describe('batch norm of groups', () => {
  for (const [name, dtype, more, tolerance] of ways)
    for (const each of cases)
      it(`is PyTorch’s of the split batch, with gradients and statistics: groups of ${each.group}, by ${name}`, () =>
        scope(() => {
          using norm = layerOf(each, dtype);
          const leaf = (golden: GoldenTensor) =>
            fromGolden(golden, dtype).contiguous('channels-last').detach().requireGrad_();
          const [x, residual] = [leaf(each.x), leaf(each.residual)];
          const activation = new ActivationLayer(parseActivation('silu'), dtype);
          const pass = { train: true, ghost: each.group, ...more };
          const output = norm.forward(x, pass, { residual, activation });
          const close = (what: string, found: Tensor, golden: GoldenTensor) =>
            assertClose(found.numbers(), golden.values, tolerance, what);
          close('output', output, each.output);
          const slopes = gradients([output], [x, residual, norm.weight, norm.bias], {
            outputGradients: [fromGolden(each.upstream, dtype)],
          });
          for (const [at, input] of inputs.entries()) close(input, slopes[at]!, each.slopes[input]);
          close('running mean', norm.runningMean, each.meanAfter);
          close('running variance', norm.runningVariance, each.varianceAfter);
          assert.deepEqual([...norm.state().get('num_batches_tracked')!.numbers()], [1]);
        }));

  it('leaves the running statistics where it is told to, and in evaluation is what it was', () =>
    scope(() => {
      const [, each] = cases;
      using norm = layerOf(each!, 'float64');
      const before = [...norm.state().values()].map((tensor) => tensor.numbers());
      const x = fromGolden(each!.x, 'float64');
      norm.forward(x, { train: true, keepStatistics: true, ghost: 2 });
      const evaluated = norm.forward(x, { train: false, ghost: 2 }).numbers();
      assert.deepEqual(evaluated, norm.forward(x, { train: false }).numbers());
      assert.deepEqual(
        [...norm.state().values()].map((tensor) => tensor.numbers()),
        before,
      );
    }));

  it('is refused where the groups do not divide the batch, also by a group larger than it', () =>
    scope(() => {
      const [each] = cases;
      using norm = layerOf(each!, 'float64');
      const x = fromGolden(each!.x, 'float64');
      for (const ghost of [4, 5, 12])
        assert.throws(
          () => norm.forward(x, { train: true, ghost }),
          (error) =>
            error instanceof InputError &&
            error.message.includes(`a multiple of the ${ghost} images of ghost batch norm`),
        );
    }));
});
