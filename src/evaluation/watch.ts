import { isMisclassified } from '../attacks/is-misclassified.js';
import type { Iterate, Observer } from '../attacks/observer.js';
import { integers } from '../tensor/create.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { SuspectWindow } from './suspect-window.js';

export interface WatchOptions {
  /** Number of iterates from one check to the next. */
  readonly every: number;
  /** Confirms suspects [K, C, H, W], given by their rows in the batch; returns the indices of those that are broken. */
  readonly confirm: (suspects: Tensor, rows: readonly number[]) => ReadonlySet<number>;
}

/**
 * Watches one round of an attack. A suspect is an iterate that the attacked classifier misclassifies. Every `every`-th
 * iterate there is a check: it reads which examples have a suspect since the last one, confirms one suspect of each, and
 * drops the examples that are broken. Between two checks nothing is read from the device.
 */
export class Watch implements Disposable {
  readonly #options: WatchOptions;
  #window: SuspectWindow | undefined;
  #unchecked = 0; // iterates since the last check
  #rows: readonly number[] = [];

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  readonly observe: Observer = (iterate) => {
    if (this.#options.every === 1) return this.#checkIterate(iterate);
    this.#window ??= new SuspectWindow(iterate);
    this.#window.add(iterate);
    this.#rows = iterate.rows;
    this.#unchecked++;
    return this.#unchecked < this.#options.every ? null : this.#checkWindow(this.#window);
  };

  /** Checks the iterates since the last check, at the end of the round. */
  finish(): void {
    if (this.#window !== undefined && this.#unchecked > 0) this.#checkWindow(this.#window);
  }

  [Symbol.dispose](): void {
    this.#window?.[Symbol.dispose]();
  }

  /** Without a copy of the images. */
  #checkIterate({ x, logits, labels, within, rows }: Iterate): readonly number[] | null {
    return scope(() => {
      const wrong = isMisclassified(logits, labels);
      return this.#check(within === undefined ? wrong : wrong.mul(within), x, rows);
    });
  }

  #checkWindow(window: SuspectWindow): readonly number[] | null {
    const active = scope(() => this.#check(window.suspected, window.images, this.#rows));
    window.clear(active);
    this.#unchecked = 0;
    return active;
  }

  /** Indices of the examples to keep; null for all. suspected bool [n], images [n, C, H, W]. */
  #check(suspected: Tensor, images: Tensor, rows: readonly number[]): readonly number[] | null {
    const found = suspected.numbers();
    const suspects = [...rows.keys()].filter((index) => found[index] !== 0);
    if (suspects.length === 0) return null;
    const broken = this.#options.confirm(
      images.detach().indexSelect(0, integers(suspects, images.device)),
      suspects.map((index) => rows[index]!),
    );
    if (broken.size === 0) return null;
    const gone = new Set([...broken].map((index) => suspects[index]!));
    return [...rows.keys()].filter((index) => !gone.has(index));
  }
}
