import type { Tensor } from '../tensor/tensor.js';
import { foldedConvolution, preparedConvolution } from './fold-batch-norm.js';
import { applyEpilogue, type BatchNorm2d, type Conv2d, type Epilogue } from './layers.js';
import type { Pass } from './module.js';

/**
 * activation(norm(convolution(x)) + residual). Every network calls this function, so that the choice of fused kernels
 * is made in one place.
 */
export function convolve(
  x: Tensor,
  convolution: Conv2d,
  norm: BatchNorm2d,
  epilogue: Epilogue,
  pass: Pass,
): Tensor {
  // Where there is a kernel, the fused epilogue is faster than folding the norm; it does not support groups.
  const hasFusedKernel = x.dtype === 'float32';
  const isUnfused =
    pass.train ||
    pass.folded === undefined ||
    pass.computeDtype !== undefined ||
    pass.doubleBackward === true ||
    convolution.bias !== null;
  if (isUnfused || (hasFusedKernel && convolution.groups > 1))
    return norm.forward(convolution.forward(x, pass), pass, epilogue);
  if (hasFusedKernel)
    return norm.forwardFused(
      convolution.pad(x),
      preparedConvolution(convolution, pass.folded),
      epilogue,
      pass,
    );
  return applyEpilogue(foldedConvolution(x, convolution, norm, pass.folded), epilogue, pass);
}
