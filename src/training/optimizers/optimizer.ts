import type { Tensor } from '../../tensor/tensor.js';

/** A rule that moves the parameters it was made with by their gradients. */
export interface Optimizer extends Disposable {
  /** Moves every parameter; `gradients` stand in the parameters' order and are used up. */
  step(gradients: readonly Tensor[], learningRate: number): void;
  /** What must be kept to go on, by name; empty before the first step. */
  state(): ReadonlyMap<string, Tensor>;
  /**
   * Goes on from a state that was kept; from an empty one it begins anew.
   *
   * @throws {InputError} where something is missing.
   */
  restore(state: ReadonlyMap<string, Tensor>): void;
}
