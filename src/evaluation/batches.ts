/** `places` in order, so many at a time. */
export function* batches(places: readonly number[], size: number): Generator<readonly number[]> {
  for (let start = 0; start < places.length; start += size) yield places.slice(start, start + size);
}
