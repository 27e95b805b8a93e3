import { noGrad } from '../tensor/gradient.js';
import { keep } from '../tensor/scope.js';
import type { Dtype, Tensor } from '../tensor/tensor.js';
import type { Module, Pass } from './module.js';

/**
 * A layer's weights in another dtype: cached where they are constant (`folded` of the pass), otherwise with a graph, so that
 * their gradient reaches the weights in float32.
 */
export function roundedWeights(
  layer: Module & { readonly weight: Tensor; readonly bias: Tensor | null },
  dtype: Dtype,
  { folded }: Pick<Pass, 'folded'>,
): { readonly rounded: Tensor; readonly roundedBias: Tensor | null } {
  const { weight, bias } = layer;
  if (folded === undefined) return { rounded: weight.to(dtype), roundedBias: bias?.to(dtype) ?? null };
  let tensors = folded.get(layer);
  if (tensors === undefined) {
    tensors = noGrad(() => [weight, ...(bias === null ? [] : [bias])].map((each) => keep(each.to(dtype))));
    folded.set(layer, tensors);
  }
  return { rounded: tensors[0]!, roundedBias: tensors[1] ?? null };
}
