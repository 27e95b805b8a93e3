/** What one step of an attack cost. */
export interface AttackStep {
  /** Images passed backward through the network. */
  readonly backwards: number;
}

/**
 * An attack under way. It pauses after each step, so that whoever drives it can count, show progress or stop; stopping
 * (`return()`, or leaving a `for ... of`) frees what it holds.
 */
export type AttackGenerator<Result = void> = Generator<AttackStep, Result, void>;

/** Runs an attack to its end. */
export function runToEnd<Result>(search: AttackGenerator<Result>): Result {
  for (;;) {
    const { done, value } = search.next();
    if (done === true) return value;
  }
}
