/** Splits `indices`, in order, into chunks of at most `size`. */
export function* batches(indices: readonly number[], size: number): Generator<readonly number[]> {
  for (let start = 0; start < indices.length; start += size) yield indices.slice(start, start + size);
}
