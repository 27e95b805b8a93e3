import type { Tensor } from '../tensor/tensor.js';
import { foldedConvolution } from './fold.js';
import { type BatchNorm2d, type Conv2d, type Following, follow } from './layers.js';
import type { Pass } from './module.js';

/**
 * activation(norm(convolution(x)) + residual): the one place that decides how these are computed together, so that a
 * faster way serves every network.
 */
export function convolve(
  x: Tensor,
  convolution: Conv2d,
  norm: BatchNorm2d,
  following: Following,
  pass: Pass,
): Tensor {
  const { activation } = following;
  const fuses = activation === undefined || activation.fused !== undefined;
  if (pass.train || pass.folded === undefined || fuses)
    return norm.forward(convolution.forward(x), pass, following);
  return follow(foldedConvolution(x, convolution, norm, pass.folded), following);
}
