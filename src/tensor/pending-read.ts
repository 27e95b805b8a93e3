import { native } from '../engine/native.js';
import type { Tensor } from './tensor.js';

/**
 * The elements of a tensor, on their way from a card: reading them later does not make the card wait for JavaScript. On the
 * CPU they are copied at once.
 */
export class PendingRead {
  #numbers: Float64Array | undefined;
  readonly #read: number;

  /** Begins to read the elements as they are now; the tensor may change or be disposed of afterwards. */
  constructor(tensor: Tensor) {
    this.#read = native().beginRead(tensor.handle);
  }

  /** The elements as JavaScript numbers, row-major. Waits until they have arrived. */
  numbers(): Float64Array {
    if (this.#numbers === undefined) {
      const data = native().finishRead(this.#read);
      this.#numbers =
        data instanceof BigInt64Array ? Float64Array.from(data, Number) : Float64Array.from(data);
    }
    return this.#numbers;
  }
}
