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
  // The kernel that computes all behind the convolution at once is faster than folding the norm, where it serves.
  const kernelServes = x.dtype === 'float32' && x.device === 'cpu';
  if (pass.train || pass.folded === undefined || pass.twice === true)
    return norm.forward(convolution.forward(x), pass, following);
  if (kernelServes) return norm.afterConvolution(x, convolution, following, pass);
  return follow(foldedConvolution(x, convolution, norm, pass.folded), following, pass);
}
