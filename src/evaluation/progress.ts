import type { Attack } from '../attacks/attack.js';
import { roundsOf } from '../attacks/run-attack.js';
import { measuredClasses } from '../attacks/target-order.js';
import type { PassCount } from './model-under-test.js';

export interface EvaluationProgress {
  /** `clean`, or the attack's name. */
  readonly stage: string;
  readonly done: number;
  readonly total: number;
  /** Fraction of all examples that are robust so far. */
  readonly robust: number;
  /** Estimated time to the end of the evaluation, assuming no further example breaks; omitted while unknown. */
  readonly secondsLeft?: number;
}

/** Number of steps an attack takes on an example it does not break. */
export function stepsOf(attack: Attack, classes: number): number {
  return measuredClasses(attack, classes) + roundsOf(attack, classes).length * attack.steps;
}

/** Cost of an attack on an example it does not break, in forward passes; a backward pass counts as two. */
export function workOf(attack: Attack, classes: number): number {
  const steps = stepsOf(attack, classes);
  switch (attack.kind) {
    case 'square':
      return steps;
    case 'fab': // two forward passes per step, and untargeted one backward pass per class
      return steps * (2 + 2 * (attack.targets === 0 ? classes : 1));
    case 'apgd':
      return steps * 3 * (attack.eot ?? 1);
    case 'pgd':
      return steps * 3;
  }
}

/** Estimates the remaining time from the passes so far. */
export class Pace {
  readonly #began = performance.now();
  #work = 0;

  /** Adds the passes since `before`. */
  spend(passes: PassCount, before: PassCount): void {
    this.#work += passes.forwards - before.forwards + 2 * (passes.backwards - before.backwards);
  }

  /** Estimated duration of the given amount of work; empty during the first second. */
  secondsFor(work: number): Pick<EvaluationProgress, 'secondsLeft'> {
    const seconds = (performance.now() - this.#began) / 1000;
    return seconds < 1 || this.#work === 0 ? {} : { secondsLeft: (work / this.#work) * seconds };
  }
}
