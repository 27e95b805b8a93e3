import { conv2d, type PreparedConvolution, winogradWeights } from '../tensor/functional.js';
import { noGrad } from '../tensor/gradient.js';
import { keep, scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import type { BatchNorm2d, Conv2d } from './layers.js';
import type { FoldedWeights, Module } from './module.js';

/**
 * `norm`(`convolution`(x)) in evaluation mode as one convolution with folded batch norm: γ (w∗x − μ) / √(σ² + ε) + β =
 * (γ/√(σ² + ε)) w ∗ x + (β − γ μ/√(σ² + ε)). The weights are folded on first use and cached in `folded`, whose owner
 * disposes of them. Valid while the network does not change.
 */
export function foldedConvolution(
  x: Tensor,
  convolution: Conv2d,
  norm: BatchNorm2d,
  folded: Map<Module, FoldedWeights>,
): Tensor {
  const [weight, bias] = cached(folded, convolution, () => fold(convolution, norm)) as [Tensor, Tensor];
  const { stride, padding, groups } = convolution;
  return conv2d(convolution.pad(x), weight, { bias, stride, padding, groups });
}

/**
 * A convolution with its weights transformed for Satin's Winograd kernel on first use, if the kernel supports it. The
 * transformed weights take eight times the memory of the weights, so the largest networks cache only some of them.
 */
export function preparedConvolution(
  convolution: Conv2d,
  folded: Map<Module, FoldedWeights>,
): PreparedConvolution {
  const { weight, stride, padding } = convolution;
  const [forward, backward] = cached(folded, convolution, () => {
    const supported = stride === 1 && padding === 1 && size(folded) + 8 * weight.size <= cacheLimit;
    return (supported ? winogradWeights(weight) : null) ?? [];
  });
  const transformed =
    forward === undefined || backward === undefined ? undefined : ([forward, backward] as const);
  return { weight, stride, padding, transformed };
}

/** Limit on cached elements per network: 1 GiB. */
const cacheLimit = 2 ** 28;

function size(folded: Map<Module, FoldedWeights>): number {
  return [...folded.values()].flat().reduce((sum, tensor) => sum + tensor.size, 0);
}

/** The cached weights of a convolution, created on first use; they outlive the scope of that pass. */
function cached(
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
      const scale = norm.weight.mul(norm.runningVariance.add(norm.epsilon).rsqrt()); // [C]
      const weight = convolution.weight.mul(scale.reshape([-1, 1, 1, 1])); // [O, I / groups, K, K]
      return { weight, bias: norm.bias.sub(norm.runningMean.mul(scale)) }; // [O]
    }),
  );
  return [weight, bias];
}
