import { integers } from '../tensor/create.js';
import { keep, scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';

/** What a step changes. */
export interface Change<Part extends string> {
  readonly next: Partial<Record<Part, Tensor>>;
  /** Places whose examples stay; null for all. */
  readonly stay: readonly number[] | null;
}

/**
 * What an attack knows of the examples it still attacks: tensors with one row an example, replaced step by step, from
 * which the rows of broken examples leave at once. It owns its tensors and frees each when it is replaced; scopes around
 * it do not matter, so that an attack may pause between two steps.
 */
export class RemainingExamples<Part extends string> implements Disposable {
  #parts: Readonly<Record<Part, Tensor>>;
  #rows: readonly number[];

  constructor(make: () => Readonly<Record<Part, Tensor>>) {
    this.#parts = scope(() => mapped(make(), (tensor) => keep(tensor.detach())));
    const count = Math.min(...this.#tensors().map((tensor) => tensor.dimension(0)));
    this.#rows = Array.from({ length: count }, (_, row) => row);
  }

  /** Which of the examples given at the start are still attacked. */
  get rows(): readonly number[] {
    return this.#rows;
  }

  get parts(): Readonly<Record<Part, Tensor>> {
    return this.#parts;
  }

  /** Replaces the parts that `body` returns, then lets the examples go that do not stay. */
  step(body: (parts: Readonly<Record<Part, Tensor>>, rows: readonly number[]) => Change<Part>): void {
    const before = this.#parts;
    scope(() => {
      const { next, stay } = body(before, this.#rows);
      let after: Readonly<Record<Part, Tensor>> = { ...before, ...next };
      if (stay !== null) {
        const places = integers(stay);
        after = mapped(after, (tensor) => tensor.indexSelect(0, places.toDevice(tensor.device)));
        this.#rows = stay.map((place) => this.#rows[place]!);
      }
      this.#parts = mapped(after, keep);
    });
    const kept = new Set(this.#tensors());
    for (const tensor of Object.values<Tensor>(before)) if (!kept.has(tensor)) tensor.dispose();
  }

  [Symbol.dispose](): void {
    for (const tensor of this.#tensors()) tensor.dispose();
  }

  #tensors(): readonly Tensor[] {
    return Object.values<Tensor>(this.#parts);
  }
}

function mapped<Part extends string>(
  parts: Readonly<Record<Part, Tensor>>,
  change: (tensor: Tensor) => Tensor,
): Record<Part, Tensor> {
  const entries = Object.entries<Tensor>(parts).map(([part, tensor]) => [part, change(tensor)]);
  return Object.fromEntries(entries) as Record<Part, Tensor>;
}
