import { conv2d } from '../tensor/functional.js';
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
  let weights = folded.get(convolution);
  if (weights === undefined) {
    weights = fold(convolution, norm);
    folded.set(convolution, weights);
  }
  const { stride, padding, groups } = convolution;
  return conv2d(x, weights.weight, { bias: weights.bias, stride, padding, groups });
}

function fold(convolution: Conv2d, norm: BatchNorm2d): FoldedWeights {
  const { weight, bias } = scope(() =>
    noGrad(() => {
      const scale = norm.weight.mul(norm.runningVariance.add(BatchNorm2d.epsilon).rsqrt()); // [C]
      const weight = convolution.weight.mul(scale.reshape([-1, 1, 1, 1])); // [O, I / groups, K, K]
      return { weight, bias: norm.bias.sub(norm.runningMean.mul(scale)) }; // [O]
    }),
  );
  // They outlive the scope of the pass in which they were met.
  return { weight: keep(weight), bias: keep(bias) };
}
