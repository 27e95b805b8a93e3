import { where, zeros, zerosLike } from '../tensor/create.js';
import type { Tensor } from '../tensor/tensor.js';
import { RemainingExamples } from './remaining-examples.js';

/** What the next iterate is compared with. */
type Past = {
  readonly previous: Tensor; // [n, C, H, W]
  readonly beforePrevious: Tensor;
  readonly checkpoint: Tensor;
  readonly end: Tensor; // [n]
};

/**
 * Finds the cycles of an attack whose next iterate is a function of the last one alone, as that of PGD on a fixed network
 * (Doldo et al., 2025, who look for equal hashes). If x_s = x_r with r < s, then x_(k+s−r) = x_k for all k ≥ r: nothing new
 * can come, and the last of K iterates is x_(s + (K − s) mod (s − r)).
 *
 * Each iterate is compared, number by number, with that of two steps before, since most cycles of sign steps go to and fro, and
 * with a checkpoint. A checkpoint at step c is renewed after 1 + ⌊c/4⌋ steps, so that in the end every cycle is found
 * (Brent, 1980, doubles c instead). Reads nothing from the device.
 */
export class CycleDetector implements Disposable {
  readonly #steps: number;
  readonly #set: RemainingExamples<Past>;
  #checkpoint = 0;

  /** For `steps` steps from `start`, [N, C, H, W]. */
  constructor(start: Tensor, steps: number) {
    this.#steps = steps;
    this.#set = new RemainingExamples(() => ({
      previous: start,
      beforePrevious: start,
      checkpoint: start,
      end: zeros([start.dimension(0)], start.dtype, start.device).add(Number.POSITIVE_INFINITY),
    }));
  }

  /** A step whose iterate is the last one too; infinite while no iterate has repeated, [n]. */
  get end(): Tensor {
    return this.#set.parts.end;
  }

  /** Compares the iterate x_step [n, C, H, W] with those before it; a NaN equals nothing. */
  add(x: Tensor, step: number): void {
    this.#set.step((past) => {
      const period = step - this.#checkpoint;
      let { end, checkpoint } = past;
      if (step >= 1) end = this.#endOf(end, { differs: differs(x, checkpoint), step, period });
      if (step >= 2) end = this.#endOf(end, { differs: differs(x, past.beforePrevious), step, period: 2 });
      if (period > this.#checkpoint / 4) {
        this.#checkpoint = step;
        checkpoint = x;
      }
      const current = x.detach();
      return {
        next: {
          previous: current,
          beforePrevious: past.previous,
          checkpoint: checkpoint === x ? current : checkpoint,
          end,
        },
        active: null,
      };
    });
  }

  /** Forgets the examples that are not in `active`; null keeps all. */
  keep(active: readonly number[] | null): void {
    if (active !== null) this.#set.step(() => ({ next: {}, active }));
  }

  [Symbol.dispose](): void {
    this.#set[Symbol.dispose]();
  }

  #endOf(
    end: Tensor,
    { differs, step, period }: { readonly differs: Tensor; readonly step: number; readonly period: number },
  ): Tensor {
    const found = zerosLike(end).add(step + ((this.#steps - step) % period));
    return where(differs, end, end.minimum(found));
  }
}

/** Whether any number of each image differs, bool [n]. */
function differs(a: Tensor, b: Tensor): Tensor {
  return a.ne(b).max([1, 2, 3]);
}
