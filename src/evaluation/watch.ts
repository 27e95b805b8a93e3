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
 * drops the examples that are broken, and those that are settled. Between two checks nothing is read from the device.
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
    return this.#unchecked < this.#options.every ? null : this.#checkWindow(this.#window, iterate.settled);
  };

  /** Checks the iterates since the last check, at the end of the round. */
  finish(): void {
    if (this.#window !== undefined && this.#unchecked > 0) this.#checkWindow(this.#window);
  }

  [Symbol.dispose](): void {
    this.#window?.[Symbol.dispose]();
  }

  /** Without a copy of the images. */
  #checkIterate({ x, logits, labels, within, settled, rows }: Iterate): readonly number[] | null {
    return scope(() => {
      const wrong = isMisclassified(logits, labels);
      const suspected = within === undefined ? wrong : wrong.mul(within);
      return this.#check({ suspected, images: x, rows, settled });
    });
  }

  #checkWindow(window: SuspectWindow, settled?: Tensor): readonly number[] | null {
    const { images } = window;
    const active = scope(() =>
      this.#check({ suspected: window.suspected, images, rows: this.#rows, settled }),
    );
    window.clear(active);
    this.#unchecked = 0;
    return active;
  }

  /** Indices of the examples to keep; null for all. suspected and settled bool [n], images [n, C, H, W]. */
  #check(of: {
    readonly suspected: Tensor;
    readonly images: Tensor;
    readonly rows: readonly number[];
    readonly settled: Tensor | undefined;
  }): readonly number[] | null {
    const { images, rows } = of;
    const suspects = marked(of.suspected);
    const gone = new Set(of.settled === undefined ? [] : marked(of.settled));
    if (suspects.length > 0) {
      const broken = this.#options.confirm(
        images.detach().indexSelect(0, integers(suspects, images.device)),
        suspects.map((index) => rows[index]!),
      );
      for (const index of broken) gone.add(suspects[index]!);
    }
    return gone.size === 0 ? null : [...rows.keys()].filter((index) => !gone.has(index));
  }
}

/** The indices at which a mask, bool [n], is true; reads it. */
function marked(mask: Tensor): number[] {
  const values = mask.numbers();
  return [...values.keys()].filter((index) => values[index] !== 0);
}
