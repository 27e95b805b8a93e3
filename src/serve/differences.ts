import type { Difference } from './api.js';
import { leaves } from './plain-data.js';

/** Keys that differ by their nature, in every pair of runs, and say nothing about why results differ. */
const silent = new Set(['started', 'command', 'memoryBytes']);

/**
 * The dotted keys whose values are not the same in all of some plain data, in the order in which they occur; null where
 * one has no such key. A setting that is off is none of them beside a run of a version that did not have it.
 */
export function differences(data: readonly unknown[]): Difference[] {
  const all = data.map((each) => leaves(each));
  const keys = [...new Set(all.flatMap((each) => [...each.keys()]))];
  return keys
    .filter((key) => !silent.has(key) && new Set(all.map((each) => each.get(key) ?? 'null')).size > 1)
    .map((key) => ({ key, values: all.map((each) => each.get(key) ?? null) }));
}
