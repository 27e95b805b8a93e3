import type { Activation } from '../activations/activation.js';
import type { Tensor } from '../tensor/tensor.js';
import type { BatchNorm2d, Conv2d } from './layers.js';
import type { Pass } from './module.js';

/** What stands behind a convolution: its batch norm, what is added to it, and the activation. */
export interface Following {
  readonly norm: BatchNorm2d;
  readonly residual?: Tensor;
  readonly activation?: Activation;
}

/**
 * activation(norm(convolution(x)) + residual): the one place that decides how these are computed together, so that a
 * faster way serves every network.
 */
export function convolve(x: Tensor, convolution: Conv2d, following: Following, pass: Pass): Tensor {
  const { norm, residual, activation } = following;
  let out =
    pass.folded === undefined || pass.train
      ? norm.forward(convolution.forward(x), pass)
      : pass.folded.forward(x, convolution, norm);
  if (residual !== undefined) out = out.add(residual);
  return activation === undefined ? out : activation.forward(out);
}
