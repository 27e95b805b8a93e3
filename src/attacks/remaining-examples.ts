import { integers } from '../tensor/create.js';
import { keep, scope } from '../tensor/scope.js';
import { Tensor } from '../tensor/tensor.js';

/** Tensors with one row per example, by name; a group of them is replaced as a whole. */
export type PerExample = Readonly<Record<string, Tensor | Readonly<Record<string, Tensor>>>>;

/** The result of a step. */
export interface Change<Parts extends PerExample> {
  readonly next: Partial<Parts>;
  /** Indices of the examples to keep; null for all. */
  readonly active: readonly number[] | null;
}

/**
 * The per-example state of an attack: tensors on one device with one row per example still under attack. Each step
 * replaces them, and may remove the rows of broken examples. It owns its tensors and frees each when it is replaced, independent of
 * any enclosing scope, so that an attack may be suspended between two steps.
 */
export class RemainingExamples<Parts extends PerExample> implements Disposable {
  #parts: Parts;
  #rows: readonly number[];

  constructor(make: () => Parts) {
    this.#parts = scope(() => mapped(make(), (tensor) => keep(tensor.detach())));
    const count = Math.min(...tensorsOf(this.#parts).map((tensor) => tensor.dimension(0)));
    this.#rows = Array.from({ length: count }, (_, row) => row);
  }

  /** Rows in the original batch of the examples still under attack. */
  get rows(): readonly number[] {
    return this.#rows;
  }

  get parts(): Parts {
    return this.#parts;
  }

  /** Replaces the parts returned by `body`, then drops the examples that are not kept. */
  step(body: (parts: Parts, rows: readonly number[]) => Change<Parts>): void {
    const before = this.#parts;
    scope(() => {
      const { next, active } = body(before, this.#rows);
      let after: Parts = { ...before, ...next };
      if (active !== null) {
        const indices = integers(active, tensorsOf(before)[0]!.device);
        after = mapped(after, (tensor) => tensor.indexSelect(0, indices));
        this.#rows = active.map((index) => this.#rows[index]!);
      }
      this.#parts = mapped(after, keep);
    });
    const kept = new Set(tensorsOf(this.#parts));
    for (const tensor of tensorsOf(before)) if (!kept.has(tensor)) tensor.dispose();
  }

  [Symbol.dispose](): void {
    for (const tensor of tensorsOf(this.#parts)) tensor.dispose();
  }
}

function tensorsOf(parts: PerExample): readonly Tensor[] {
  return Object.values(parts).flatMap((part) => (part instanceof Tensor ? [part] : Object.values(part)));
}

function mapped<Parts extends PerExample>(parts: Parts, change: (tensor: Tensor) => Tensor): Parts {
  const entries = Object.entries(parts).map(([name, part]) => [
    name,
    part instanceof Tensor ? change(part) : mapped(part, change),
  ]);
  return Object.fromEntries(entries) as Parts;
}
