/** File operations waited for at once: more than libuv has threads only fill its queue. */
const atOnce = 16;

/** Maps items in order, some of them at a time. */
export async function inBatches<T, R>(items: readonly T[], map: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += atOnce)
    results.push(...(await Promise.all(items.slice(at, at + atOnce).map(map))));
  return results;
}
