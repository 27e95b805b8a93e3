import type { Tensor } from '../tensor/tensor.js';

/**
 * Whether the kernels of the attacks' own arithmetic take these images: float32 on the CPU, of one shape, outside any graph.
 * Elsewhere libtorch's operators compute the same.
 */
export function haveKernel(first: Tensor, ...others: readonly Tensor[]): boolean {
  const fits = (images: Tensor) =>
    images.dtype === 'float32' && images.device === 'cpu' && !images.requiresGrad;
  return fits(first) && others.every((each) => fits(each) && isShape(each.shape, first.shape));
}

function isShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, dimension) => size === b[dimension]);
}
