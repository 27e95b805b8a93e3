import { type PairedDifference, pairedDifference } from '../src/evaluation/paired-difference.js';
import { holm } from '../src/evaluation/statistics.js';
import type { StudyRun } from './run-study.js';
import type { Arm, Study } from './study.js';

/** An arm's difference from the one that it is compared with, in accuracy from −1 to 1, over seeds. */
export interface Difference extends PairedDifference {
  /** Holm's over all comparisons of the study; null for a single seed. */
  readonly adjusted: number | null;
}

export interface Row {
  readonly arm: Arm;
  /** Means over seeds, 0 to 1. */
  readonly clean: number;
  readonly robust: number;
  /** Null for an arm that others are compared with. */
  readonly difference: { readonly clean: Difference; readonly robust: Difference } | null;
  /** Flags of any of its evaluations. */
  readonly flags: readonly string[];
}

/** The table of a study: means over seeds, and paired differences with Holm's adjustment over the arms. */
export function answer(study: Study, runs: readonly StudyRun[]): Row[] {
  const of = (name: string) => runs.filter(({ arm }) => arm === name);
  const against = (arm: Arm, measure: 'clean' | 'robust') => {
    if (arm.against === null) return null;
    const others = new Map(of(arm.against).map((run) => [run.seed, run]));
    return pairedDifference(of(arm.name).map((run) => run[measure] - others.get(run.seed)![measure]));
  };
  const adjusted = (measure: 'clean' | 'robust'): (Difference | null)[] => {
    const found = study.arms.map((arm) => against(arm, measure));
    const compared = found.filter((each) => each !== null && each.pValue !== null);
    const values = holm(compared.map((each) => each!.pValue!));
    return found.map((each) => {
      const place = compared.indexOf(each);
      return each && { ...each, adjusted: place < 0 ? null : values[place]! };
    });
  };
  const [clean, robust] = [adjusted('clean'), adjusted('robust')];
  return study.arms.map((arm, index) => {
    const own = of(arm.name);
    const mean = (measure: 'clean' | 'robust') =>
      own.reduce((sum, run) => sum + run[measure], 0) / own.length;
    const [first, second] = [clean[index], robust[index]];
    return {
      arm,
      clean: mean('clean'),
      robust: mean('robust'),
      difference: first && second ? { clean: first, robust: second } : null,
      flags: [...new Set(own.flatMap(({ flags }) => flags))],
    };
  });
}
