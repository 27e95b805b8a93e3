import { InputError } from '../../errors.js';
import { type Difference, firstDifference } from '../../user-input/first-difference.js';
import type { ComparedRun } from './run-differences.js';

/** The first run whose data set or threat model is not that of the first one; undefined if there is none. */
export function firstIncomparable<Run extends ComparedRun>([first, ...others]: readonly Run[]):
  | { readonly run: Run; readonly difference: Difference }
  | undefined {
  const matter = ({ recipe: { data, threat } }: Run) => ({
    data: { name: data.name, dir: data.dir },
    threat: { norm: threat.norm, epsilon: threat.epsilon },
  });
  for (const run of others) {
    const difference = firstDifference(matter(first!), matter(run));
    if (difference !== undefined) return { run, difference };
  }
  return undefined;
}

/**
 * Results for different threat models or data sets are not comparable.
 *
 * @throws {InputError} naming the first difference, or a run that is given twice.
 */
export function requireComparable(runs: readonly ComparedRun[]): void {
  const found = firstIncomparable(runs);
  if (found !== undefined)
    throw InputError.expected(
      `the ${found.difference.path} of ${runs[0]!.path}`,
      `the run ${found.run.path}`,
      found.difference.second,
      'Create a separate report for each.',
    );
  const twice = runs.find(({ path }, index) => runs.findIndex((other) => other.path === path) !== index);
  if (twice !== undefined) throw InputError.expected('each run once', 'the report', twice.path);
}
