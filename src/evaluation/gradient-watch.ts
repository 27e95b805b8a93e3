import type { GradientObserver } from '../attacks/observer.js';
import { integers, zeros } from '../tensor/create.js';
import { operator } from '../tensor/operator.js';
import { keep, scope } from '../tensor/scope.js';
import { one, type Tensor } from '../tensor/tensor.js';

/**
 * Notes on which of `count` examples an attack had a gradient with at least one finite entry. Nothing is read from the
 * device before `blind`.
 */
export class GradientWatch implements Disposable {
  readonly #device: string;
  #seen: Tensor; // number of such gradients, [count]
  #isUsed = false;

  constructor(count: number, device: string) {
    this.#device = device;
    this.#seen = keep(zeros([count], 'float32', device));
  }

  /** Observes gradients of the examples at `remaining`, of which an attack sees the rows. */
  of(remaining: readonly number[]): GradientObserver {
    return (gradient, attacked) => {
      this.#isUsed = true;
      const rows = attacked.map((row) => remaining[row]!);
      const before = this.#seen;
      scope(() => {
        const plain = gradient.detach();
        const known = plain.sub(plain).eq(0).to('float32').max([1, 2, 3]); // x − x is NaN unless x is finite
        this.#seen = keep(one(indexAdd, before.handle, 0, integers(rows, this.#device).handle, known.handle));
      });
      before.dispose();
    };
  }

  /** Those of `rows` whose gradient was not finite in any step; none if the attack computed no gradient. */
  blind(rows: readonly number[]): readonly number[] {
    if (!this.#isUsed) return [];
    const seen = this.#seen.numbers();
    return rows.filter((row) => seen[row] === 0);
  }

  [Symbol.dispose](): void {
    this.#seen.dispose();
  }
}

const indexAdd = operator('aten::index_add');
