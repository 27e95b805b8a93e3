import type { Attack } from '../attacks/attack.js';
import { roundsOf } from '../attacks/run-attack.js';
import type { PassCount } from './model-under-test.js';

export interface EvaluationProgress {
  /** `clean`, or the attack's name. */
  readonly stage: string;
  readonly done: number;
  readonly total: number;
  /** Share of all examples that stand so far. */
  readonly standing: number;
  /** Until the whole evaluation is done, if nothing more breaks; left out as long as that cannot be told. */
  readonly secondsLeft?: number;
}

/** How often an attack pauses for an example that stands to its end. */
export function stepsOf(attack: Attack, classes: number): number {
  return roundsOf(attack, classes).length * attack.steps;
}

/** What an attack costs for an example that stands to its end, in forward passes; a backward pass counts as two. */
export function workOf(attack: Attack, classes: number): number {
  const steps = stepsOf(attack, classes);
  switch (attack.kind) {
    case 'square':
      return steps;
    case 'fab': // which looks at each iterate twice, and without a target at the slope of each class
      return steps * (2 + 2 * (attack.targets === 0 ? classes : 1));
    case 'apgd':
      return steps * 3 * (attack.eot ?? 1);
    case 'pgd':
      return steps * 3;
  }
}

/** Tells from the passes so far how long others will take. */
export class Pace {
  readonly #began = performance.now();
  #work = 0;

  /** Counts what a batch has cost more than the last time it was told. */
  spend(passes: PassCount, before: PassCount): void {
    this.#work += passes.forwards - before.forwards + 2 * (passes.backwards - before.backwards);
  }

  /** How long so much work takes; nothing in the first second. */
  secondsFor(work: number): Pick<EvaluationProgress, 'secondsLeft'> {
    const seconds = (performance.now() - this.#began) / 1000;
    return seconds < 1 || this.#work === 0 ? {} : { secondsLeft: (work / this.#work) * seconds };
  }
}
