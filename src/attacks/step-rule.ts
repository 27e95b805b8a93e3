import type { Tensor } from '../tensor/tensor.js';

/** What a rule remembers of each example: tensors with one row per example. */
export type RuleState = Readonly<Record<string, Tensor>>;

/** The first point of a run of APGD. */
export interface FirstPoint {
  readonly x: Tensor; // [n, C, H, W]
  readonly origin: Tensor; // [n, C, H, W]
  readonly loss: Tensor; // [n]
  /** The point comes from an earlier run, and is not random. */
  readonly isFound: boolean;
}

/** A checkpoint of APGD. */
export interface RuleCheck<State extends RuleState> {
  readonly state: State;
  readonly origin: Tensor; // [n, C, H, W]
  /** The point of the highest loss so far. */
  readonly best: Tensor; // [n, C, H, W]
  readonly bestLoss: Tensor; // [n]
  readonly stepSize: Tensor; // [n, 1, 1, 1]
  readonly epsilon: number;
  /** Steps since the last checkpoint. */
  readonly steps: number;
}

/** How APGD steps in a norm: its directions, when it looks at its step sizes, and what it then does. */
export interface StepRule<State extends RuleState = RuleState> {
  /** The first step size divided by ε. */
  readonly firstStep: number;
  /** Weight of the new direction; the previous one has weight 1 − momentum. At 1 there is no momentum. */
  readonly momentum: number;
  /** The steps after which `check` is called. */
  checkpoints(steps: number): ReadonlySet<number>;
  begin(first: FirstPoint): State;
  /** A step of norm 1, [n, C, H, W]; 0 where the gradient is 0 or NaN. */
  direction(gradient: Tensor, state: State): Tensor;
  /** After each step, with its losses [n]. */
  stepped(state: State, loss: Tensor): State;
  /** The step sizes from here on, and which examples restart from their best point, bool [n]. */
  check(at: RuleCheck<State>): {
    readonly state: State;
    readonly stepSize: Tensor;
    readonly restarted: Tensor;
  };
}
