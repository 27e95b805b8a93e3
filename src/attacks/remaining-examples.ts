import { integers } from '../tensor/create.js';
import { keep, scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';

/** The result of a step. */
export interface Change<Part extends string> {
  readonly next: Partial<Record<Part, Tensor>>;
  /** Indices of the examples to keep; null for all. */
  readonly active: readonly number[] | null;
}

/**
 * The per-example state of an attack: tensors on one device with one row per example still under attack. Each step
 * replaces them, and may remove the rows of broken examples. It owns its tensors and frees each when it is replaced, independent of
 * any enclosing scope, so that an attack may be suspended between two steps.
 */
export class RemainingExamples<Part extends string> implements Disposable {
  #parts: Readonly<Record<Part, Tensor>>;
  #rows: readonly number[];

  constructor(make: () => Readonly<Record<Part, Tensor>>) {
    this.#parts = scope(() => mapped(make(), (tensor) => keep(tensor.detach())));
    const count = Math.min(...this.#tensors().map((tensor) => tensor.dimension(0)));
    this.#rows = Array.from({ length: count }, (_, row) => row);
  }

  /** Rows in the original batch of the examples still under attack. */
  get rows(): readonly number[] {
    return this.#rows;
  }

  get parts(): Readonly<Record<Part, Tensor>> {
    return this.#parts;
  }

  /** Replaces the parts returned by `body`, then drops the examples that are not kept. */
  step(body: (parts: Readonly<Record<Part, Tensor>>, rows: readonly number[]) => Change<Part>): void {
    const before = this.#parts;
    scope(() => {
      const { next, active } = body(before, this.#rows);
      let after: Readonly<Record<Part, Tensor>> = { ...before, ...next };
      if (active !== null) {
        const indices = integers(active, this.#tensors()[0]!.device);
        after = mapped(after, (tensor) => tensor.indexSelect(0, indices));
        this.#rows = active.map((index) => this.#rows[index]!);
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
