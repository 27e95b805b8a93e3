import { type Attack, lossAndTargets, stepSizeOf } from '../attacks/attack.js';
import type { Dataset } from '../data/dataset.js';
import { type Ledger, sum } from './ledger.js';
import type { AttackResult, ClassResult, ExampleResult } from './result.js';
import { wilsonInterval } from './statistics.js';

/** What the attacks did; `adversarial` holds the first image that broke an example, by its place in the data. */
export interface Evaluation {
  readonly clean: number;
  readonly robust: number;
  readonly interval: readonly [number, number];
  readonly attacks: readonly AttackResult[];
  readonly perExample: readonly ExampleResult[];
  readonly adversarial: ReadonlyMap<number, Float32Array>;
  /** Of the clean pass and the attacks. */
  readonly seconds: number;
}

/** What the verdicts of a finished evaluation come to. */
export function summary(
  ledger: Ledger,
  options: {
    readonly data: Pick<Dataset, 'ids' | 'labels'>;
    readonly attacks: readonly Attack[];
    readonly epsilon: number;
    readonly classes: number;
    readonly alone: boolean;
  },
): Evaluation {
  const { data, attacks, epsilon, classes, alone } = options;
  const { ids, labels } = data;
  const names = attacks.map(({ name }) => name);
  const right = ledger.right();
  let standing = right;
  const results = attacks.map((attack): AttackResult => {
    const { name, steps, restarts, surrogate } = attack;
    const attacked = standing.length;
    standing = standing.filter((place) => ledger.isBroken(name, place) !== true);
    const cost = ledger.cost(name, 'sequence');
    return {
      name,
      ...lossAndTargets(attack, classes),
      steps,
      stepSize: stepSizeOf(attack, epsilon),
      restarts,
      ...('eot' in attack && attack.eot !== undefined && { eot: attack.eot }),
      ...(surrogate !== undefined && { surrogate }),
      attacked,
      broken: attacked - standing.length,
      robustAfter: standing.length / ids.length,
      ...cost,
      ...(alone && {
        alone: {
          attacked: right.length,
          broken: right.filter((place) => ledger.isBroken(name, place) === true).length,
          ...sum(cost, ledger.cost(name, 'alone')),
        },
      }),
    };
  });
  return {
    clean: right.length / ids.length,
    robust: standing.length / ids.length,
    interval: wilsonInterval(standing.length, ids.length),
    attacks: results,
    perExample: Array.from(ids, (id, place) => ({
      id,
      label: labels[place]!,
      clean: ledger.isRight(place) === true,
      brokenBy: ledger.brokenBy(names, place),
    })),
    adversarial: ledger.adversarial,
    seconds: ledger.totalSeconds(),
  };
}

/** Clean and robust accuracy of each class that has examples, in the order of the labels. */
export function perClass(perExample: readonly ExampleResult[], classes: readonly string[]): ClassResult[] {
  return classes.flatMap((name, label) => {
    const own = perExample.filter((example) => example.label === label);
    if (own.length === 0) return [];
    const clean = own.filter((example) => example.clean);
    const robust = clean.filter(({ brokenBy }) => brokenBy === null);
    return {
      label,
      class: name,
      examples: own.length,
      clean: clean.length / own.length,
      robust: robust.length / own.length,
    };
  });
}
