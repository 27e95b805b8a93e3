import { type Attack, lossAndTargets, stepSizeOf } from '../attacks/attack.js';
import type { Dataset } from '../data/dataset.js';
import { type Ledger, sum } from './ledger.js';
import type { AttackResult, ClassResult, ExampleResult } from './result.js';
import { wilsonInterval } from './statistics.js';

/** The result of all attacks; `adversarial` holds the first adversarial image of each broken example, by index. */
export interface Evaluation {
  readonly clean: number;
  readonly robust: number;
  readonly interval: readonly [number, number];
  readonly attacks: readonly AttackResult[];
  readonly perExample: readonly ExampleResult[];
  readonly adversarial: ReadonlyMap<number, Float32Array>;
  /** Time of the clean pass and the attacks. */
  readonly seconds: number;
}

/** Computes the results from the verdicts of a finished evaluation. */
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
  const correct = ledger.correct();
  let remaining = correct;
  const results = attacks.map((attack): AttackResult => {
    const { name, steps, restarts, surrogate } = attack;
    const attacked = remaining.length;
    remaining = remaining.filter((index) => ledger.isBroken(name, index) !== true);
    const cost = ledger.cost(name, 'sequence');
    return {
      name,
      ...lossAndTargets(attack, classes),
      steps,
      stepSize: stepSizeOf(attack, epsilon),
      restarts,
      ...('eot' in attack && attack.eot !== undefined && { eot: attack.eot }),
      ...('cycles' in attack && attack.cycles === true && { cycles: true }),
      ...('targetsBy' in attack && { targetsBy: attack.targetsBy }),
      ...(surrogate !== undefined && { surrogate }),
      attacked,
      broken: attacked - remaining.length,
      robustAfter: remaining.length / ids.length,
      ...cost,
      ...(alone && {
        alone: {
          attacked: correct.length,
          broken: correct.filter((index) => ledger.isBroken(name, index) === true).length,
          ...sum(cost, ledger.cost(name, 'alone')),
        },
      }),
    };
  });
  const blind = new Set(remaining.filter((index) => ledger.isBlind(names, index)));
  const robust = remaining.length - blind.size;
  return {
    clean: correct.length / ids.length,
    robust: robust / ids.length,
    interval: wilsonInterval(robust, ids.length),
    attacks: results,
    perExample: Array.from(ids, (id, index) => ({
      id,
      label: labels[index]!,
      clean: ledger.isCorrect(index) === true,
      brokenBy: ledger.brokenBy(names, index),
      ...(blind.has(index) && { blind: true as const }),
    })),
    adversarial: ledger.adversarial,
    seconds: ledger.totalSeconds(),
  };
}

/** Clean and robust accuracy of each class that has examples, in label order. */
export function perClass(perExample: readonly ExampleResult[], classes: readonly string[]): ClassResult[] {
  return classes.flatMap((name, label) => {
    const examples = perExample.filter((example) => example.label === label);
    if (examples.length === 0) return [];
    const clean = examples.filter((example) => example.clean);
    const robust = clean.filter(isRobust);
    return {
      label,
      class: name,
      examples: examples.length,
      clean: clean.length / examples.length,
      robust: robust.length / examples.length,
    };
  });
}

/** Whether an example counts as robust. */
function isRobust({ clean, brokenBy, blind }: ExampleResult): boolean {
  return clean && brokenBy === null && blind !== true;
}
