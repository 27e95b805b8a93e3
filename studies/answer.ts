import { InputError } from '../src/errors.js';
import { type PairedDifference, pairedDifference } from '../src/evaluation/paired-difference.js';
import { holm } from '../src/evaluation/statistics.js';
import type { StudyRun } from './jobs.js';
import type { Measurement } from './record.js';
import type { Arm, Study } from './study.js';

/** An arm's difference from the one that it is compared with, in accuracy from −1 to 1, over the seeds that both have. */
export interface Difference extends PairedDifference {
  /** Holm's over all comparisons of the study; null for a single seed. */
  readonly adjusted: number | null;
}

export interface Row {
  readonly arm: Arm;
  /** Its seeds. */
  readonly seeds: number;
  /** Means over seeds, 0 to 1. */
  readonly clean: number;
  readonly robust: number;
  /** Robust accuracy under the first attack, if that is the paper's. */
  readonly paperAttack: number | null;
  /** Of one seed; null if none was measured. */
  readonly autoattack: number | null;
  /** Null for an arm that others are compared with, and for one without a seed in common. */
  readonly difference: { readonly clean: Difference; readonly robust: Difference } | null;
  /** Codes of the flags of any of its evaluations. */
  readonly flags: readonly string[];
}

const mean = (values: readonly number[]) => values.reduce((sum, each) => sum + each, 0) / values.length;

/**
 * The table of a study: means over seeds, and paired differences with Holm's adjustment over the arms. An arm without a run has
 * no row.
 *
 * @throws {InputError} if runs that would be paired were measured on different images.
 */
export function answer(study: Study, runs: readonly StudyRun[]): Row[] {
  const of = (name: string) => runs.filter(({ arm }) => arm === name);
  const arms = study.arms.filter(({ name }) => of(name).length > 0);
  const against = (arm: Arm, measure: 'clean' | 'robust') => {
    const others = new Map(of(arm.against ?? '').map((run) => [run.seed, run]));
    const pairs = of(arm.name).flatMap((run) => {
      const other = others.get(run.seed);
      return other === undefined ? [] : [[measurementOf(run), measurementOf(other)] as const];
    });
    if (pairs.some(([one, other]) => one.pixelsDigest !== other.pixelsDigest))
      throw InputError.expected(
        'runs that were measured on the same images',
        `the study ${study.name}`,
        `others for ${arm.name} and ${arm.against}`,
      );
    return pairs.length === 0
      ? null
      : pairedDifference(pairs.map(([one, other]) => one[measure] - other[measure]));
  };
  const adjusted = (measure: 'clean' | 'robust'): (Difference | null)[] => {
    const found = arms.map((arm) => against(arm, measure));
    const compared = found.filter((each) => each !== null && each.pValue !== null);
    const values = holm(compared.map((each) => each!.pValue!));
    return found.map((each) => {
      const place = compared.indexOf(each);
      return each && { ...each, adjusted: place < 0 ? null : values[place]! };
    });
  };
  const [clean, robust] = [adjusted('clean'), adjusted('robust')];
  return arms.map((arm, index) => {
    const own = of(arm.name).map(measurementOf);
    const [first, second] = [clean[index], robust[index]];
    const firsts = own.map(({ attacks }) => attacks[0]!);
    return {
      arm,
      seeds: own.length,
      clean: mean(own.map((each) => each.clean)),
      robust: mean(own.map((each) => each.robust)),
      paperAttack: firsts.every(({ name }) => name === firsts[0]!.name && name.endsWith('-paper'))
        ? mean(firsts.map(({ robustAfter }) => robustAfter))
        : null,
      autoattack: of(arm.name).flatMap(({ record }) => record.autoattack ?? [])[0]?.robust ?? null,
      difference: first && second ? { clean: first, robust: second } : null,
      flags: [...new Set(own.flatMap(({ flags }) => flags))],
    };
  });
}

const measurementOf = ({ record }: StudyRun): Measurement => record.test!;
