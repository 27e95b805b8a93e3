import { conv2d, type PreparedConvolution, winogradWeights } from '../tensor/functional.js';
import { noGrad } from '../tensor/gradient.js';
import { keep, scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { BatchNorm2d, type Conv2d } from './layers.js';
import type { FoldedWeights, Module } from './module.js';

/**
 * What `norm` makes of `convolution`(x) in evaluation mode, as one convolution:
 * γ (w∗x − μ) / √(σ² + ε) + β = (γ/√(σ² + ε)) w ∗ x + (β − γ μ/√(σ² + ε)).
 * The weights are folded when a convolution is first met and kept in `folded`, whose owner disposes of them; they hold
 * as long as the network does not change.
 */
export function foldedConvolution(
  x: Tensor,
  convolution: Conv2d,
  norm: BatchNorm2d,
  folded: Map<Module, FoldedWeights>,
): Tensor {
  const [weight, bias] = kept(folded, convolution, () => fold(convolution, norm)) as [Tensor, Tensor];
  const { stride, padding, groups } = convolution;
  return conv2d(x, weight, { bias, stride, padding, groups });
}

/**
 * A convolution with its weights transformed for Satin's own kernel, when it is first met, where that serves. They take
 * eight times the memory of the weights, so the largest networks keep only a part of them.
 */
export function preparedConvolution(
  convolution: Conv2d,
  folded: Map<Module, FoldedWeights>,
): PreparedConvolution {
  const { weight, stride, padding } = convolution;
  const [forward, backward] = kept(folded, convolution, () => {
    const serves = stride === 1 && padding === 1 && size(folded) + 8 * weight.size <= keptAtMost;
    return (serves ? winogradWeights(weight) : null) ?? [];
  });
  const transformed =
    forward === undefined || backward === undefined ? undefined : ([forward, backward] as const);
  return { weight, stride, padding, transformed };
}

/** Numbers that are kept transformed for one network: 1 GiB. */
const keptAtMost = 2 ** 28;

function size(folded: Map<Module, FoldedWeights>): number {
  return [...folded.values()].flat().reduce((sum, tensor) => sum + tensor.size, 0);
}

/** What is kept for a convolution, made when it is first asked for; it outlives the scope of that pass. */
function kept(
  folded: Map<Module, FoldedWeights>,
  convolution: Conv2d,
  make: () => FoldedWeights,
): FoldedWeights {
  let weights = folded.get(convolution);
  if (weights === undefined) {
    weights = make();
    for (const tensor of weights) keep(tensor);
    folded.set(convolution, weights);
  }
  return weights;
}

function fold(convolution: Conv2d, norm: BatchNorm2d): FoldedWeights {
  const { weight, bias } = scope(() =>
    noGrad(() => {
      const scale = norm.weight.mul(norm.runningVariance.add(BatchNorm2d.epsilon).rsqrt()); // [C]
      const weight = convolution.weight.mul(scale.reshape([-1, 1, 1, 1])); // [O, I / groups, K, K]
      return { weight, bias: norm.bias.sub(norm.runningMean.mul(scale)) }; // [O]
    }),
  );
  return [weight, bias];
}
