import { isMisclassified } from '../attacks/is-misclassified.js';
import { attackLosses } from '../attacks/losses.js';
import type { Iterate } from '../attacks/observer.js';
import { RemainingExamples } from '../attacks/remaining-examples.js';
import { where, zeros, zerosLike } from '../tensor/create.js';
import type { Tensor } from '../tensor/tensor.js';

/**
 * The suspects among the iterates between two checks, kept on the device: of each example the iterate that the attacked
 * classifier misclassifies with the largest margin max_{i≠y} z_i − z_y. It is the one that the exact model most probably
 * misclassifies too. A margin that is NaN counts as infinite.
 */
export class SuspectWindow implements Disposable {
  /** `margin` is −∞ for an example without a suspect. */
  readonly #set: RemainingExamples<{ readonly image: Tensor; readonly margin: Tensor }>;

  /** An empty window for the examples of an iterate. */
  constructor({ x, logits }: Pick<Iterate, 'x' | 'logits'>) {
    this.#set = new RemainingExamples(() => ({ image: x, margin: lowest(logits) }));
  }

  /** Takes the suspects of an iterate in place of those with a smaller margin. Reads nothing. */
  add({ x, logits, labels, within }: Iterate): void {
    this.#set.step(({ image, margin }) => {
      const plain = logits.detach();
      const wrong = isMisclassified(plain, labels);
      const suspect = within === undefined ? wrong : wrong.mul(within); // bool [n]
      const size = attackLosses.margin(plain, labels); // [n]
      const known = where(size.eq(size), size, zerosLike(size).add(Number.POSITIVE_INFINITY)); // NaN ≠ NaN
      const candidate = where(suspect, known, lowest(plain));
      const larger = candidate.greater(margin);
      return {
        next: {
          image: where(larger.reshape([-1, 1, 1, 1]), x.detach(), image),
          margin: where(larger, candidate, margin),
        },
        active: null,
      };
    });
  }

  /** Which examples have a suspect, bool [n]. */
  get suspected(): Tensor {
    return this.#set.parts.margin.greater(Number.NEGATIVE_INFINITY);
  }

  /** The suspects, [n, C, H, W]; any image for an example without one. */
  get images(): Tensor {
    return this.#set.parts.image;
  }

  /** Forgets all suspects, and the examples that are not in `active`; null keeps all. */
  clear(active: readonly number[] | null): void {
    this.#set.step(({ margin }) => ({
      next: { margin: zerosLike(margin).sub(Number.POSITIVE_INFINITY) },
      active,
    }));
  }

  [Symbol.dispose](): void {
    this.#set[Symbol.dispose]();
  }
}

/** −∞ for each example, [n]. */
function lowest(logits: Tensor): Tensor {
  return zeros([logits.dimension(0)], logits.dtype, logits.device).sub(Number.POSITIVE_INFINITY);
}
