import type { Tensor } from '../tensor/tensor.js';

/** Images that differ in few places from those that are classified. */
export interface Neighbours {
  /** One of each image, [N, C, H, W]. */
  readonly near: Tensor;
  /** The number under which `memory` knows each image. */
  readonly slots: readonly number[];
  readonly memory: NeighbourMemory;
}

/** What a classifier keeps of neighbours from one call to the next. Whoever makes it disposes of it. */
export class NeighbourMemory implements Disposable {
  #owner: object | null = null;
  #kept: Tensor | null = null;

  constructor(readonly slots: number) {}

  /** What `owner` keeps; `make` makes it on the first call, and when another one comes. */
  keptBy(owner: object, make: () => Tensor): Tensor {
    if (this.#kept === null || this.#owner !== owner) {
      this.#kept?.dispose();
      this.#kept = make();
      this.#owner = owner;
    }
    return this.#kept;
  }

  [Symbol.dispose](): void {
    this.#kept?.dispose();
    this.#kept = null;
  }
}
