import { conv2d } from '../tensor/functional.js';
import { noGrad } from '../tensor/gradient.js';
import { keep, scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { BatchNorm2d, type Conv2d } from './layers.js';

/**
 * Convolutions with the batch norm behind them folded in, for evaluation mode:
 * γ (w∗x − μ) / √(σ² + ε) + β = (γ/√(σ² + ε)) w ∗ x + (β − γ μ/√(σ² + ε)).
 * The weights are folded when a convolution is first met, and hold as long as the network does not change: make a new
 * one after every update, and dispose of the old.
 */
export class FoldedConvolutions implements Disposable {
  readonly #folded = new Map<Conv2d, { weight: Tensor; bias: Tensor }>();

  /** What `norm` makes of `convolution`(x). */
  forward(x: Tensor, convolution: Conv2d, norm: BatchNorm2d): Tensor {
    let folded = this.#folded.get(convolution);
    if (folded === undefined) {
      folded = fold(convolution, norm);
      this.#folded.set(convolution, folded);
    }
    return conv2d(x, folded.weight, {
      bias: folded.bias,
      stride: convolution.stride,
      padding: convolution.padding,
    });
  }

  [Symbol.dispose](): void {
    for (const { weight, bias } of this.#folded.values()) {
      weight.dispose();
      bias.dispose();
    }
    this.#folded.clear();
  }
}

function fold(convolution: Conv2d, norm: BatchNorm2d): { weight: Tensor; bias: Tensor } {
  const folded = scope(() =>
    noGrad(() => {
      const scale = norm.weight.mul(norm.runningVariance.add(BatchNorm2d.epsilon).rsqrt()); // [C]
      const weight = convolution.weight.mul(scale.reshape([-1, 1, 1, 1])); // [O, I, K, K]
      return { weight, bias: norm.bias.sub(norm.runningMean.mul(scale)) }; // [O]
    }),
  );
  // They outlive the scope of the pass in which they were met.
  return { weight: keep(folded.weight), bias: keep(folded.bias) };
}
