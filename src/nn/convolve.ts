import type { Tensor } from '../tensor/tensor.js';
import { foldedConvolution, preparedConvolution } from './fold-batch-norm.js';
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
  // The kernel that computes all behind the convolution at once is faster than folding the norm, where it serves; it
  // knows no groups.
  const kernelServes = x.dtype === 'float32' && x.device === 'cpu';
  const isPlain = pass.train || pass.folded === undefined || pass.twice === true || convolution.bias !== null;
  if (isPlain || (kernelServes && convolution.groups > 1))
    return norm.forward(convolution.forward(x, pass), pass, following);
  if (kernelServes)
    return norm.afterConvolution(x, preparedConvolution(convolution, pass.folded), following, pass);
  return follow(foldedConvolution(x, convolution, norm, pass.folded), following, pass);
}
