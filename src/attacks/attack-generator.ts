/** The cost of one step of an attack. */
export interface AttackStep {
  /** Images passed backward through the network. */
  readonly backwards: number;
}

/**
 * A running attack. It yields after each step, so that the caller can count passes, report progress or stop; stopping
 * (`return()`, or leaving a `for ... of`) frees its tensors.
 */
export type AttackGenerator<Result = void> = Generator<AttackStep, Result, void>;

/** Runs an attack to completion. */
export function runToEnd<Result>(search: AttackGenerator<Result>): Result {
  for (;;) {
    const { done, value } = search.next();
    if (done === true) return value;
  }
}
