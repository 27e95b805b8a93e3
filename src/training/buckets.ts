import type { Tensor } from '../tensor/tensor.js';

/** Consecutive tensors of a list: those from `first` to before `end`. */
export interface Bucket {
  readonly first: number;
  readonly end: number;
}

/** Elements of a bucket on the CPU: a megabyte of float32, so that its tensors are still cached at the next operator. */
const mostOnCpu = 2 ** 18;

/**
 * Splits a list of tensors, each of which is updated by several operators, into buckets: each operator is called once per
 * bucket. On a card all tensors are one bucket, to launch little; on the CPU buckets are small, for its cache.
 */
export function bucketsOf(tensors: readonly Tensor[]): readonly Bucket[] {
  const most = tensors[0]?.device === 'cpu' ? mostOnCpu : Number.POSITIVE_INFINITY;
  const buckets: Bucket[] = [];
  let [first, size] = [0, 0];
  for (const [index, tensor] of tensors.entries()) {
    if (index > first && size + tensor.size > most) {
      buckets.push({ first, end: index });
      [first, size] = [index, 0];
    }
    size += tensor.size;
  }
  if (tensors.length > 0) buckets.push({ first, end: tensors.length });
  return buckets;
}
