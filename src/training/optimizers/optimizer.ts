import type { Tensor } from '../../tensor/tensor.js';

/** Updates the parameters it was created with. */
export interface Optimizer extends Disposable {
  /** Updates every parameter; `gradients` are in parameter order and are overwritten. */
  step(gradients: readonly Tensor[], learningRate: number): void;
  /** State needed to resume, by name; empty before the first step. */
  state(): ReadonlyMap<string, Tensor>;
  /**
   * Restores a saved state; an empty state resets the optimizer.
   *
   * @throws {InputError} if an entry is missing.
   */
  restore(state: ReadonlyMap<string, Tensor>): void;
}
