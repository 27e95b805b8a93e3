import { InputError } from '../errors.js';
import { integers, tensor } from '../tensor/create.js';
import { gradients, noGrad } from '../tensor/gradient.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { broadcast_, gather, reducedGradients, sumNumbers } from './collectives.js';

/**
 * Processes that train one network together, each on its part of every batch. Whatever one of them does here, all must
 * do, in the same order.
 */
export interface Ranks {
  /** Which one this is, from 0. Rank 0 writes. */
  readonly rank: number;
  /** How many there are. */
  readonly size: number;
  /** How many of them share this one's processors, itself included. */
  readonly sharing: number;
  /** Which one of its machine this is, from 0. */
  readonly local: number;
  /** d loss / d parameters as means over all ranks, and d loss / d others as they are on this one. */
  gradients(
    loss: Tensor,
    parameters: readonly Tensor[],
    others?: readonly Tensor[],
  ): { readonly parameters: Tensor[]; readonly others: Tensor[] };
  /** Sums over all ranks. */
  sum(numbers: readonly number[]): readonly number[];
  /** Turns tensors into their means over all ranks, in place. */
  average_(tensors: readonly Tensor[]): void;
  /** Turns tensors into those of rank 0, in place. */
  follow_(tensors: readonly Tensor[]): void;
  /** Those of rank 0, by name, as tensors of this rank's own; the others give null. */
  share(tensors: ReadonlyMap<string, Tensor> | null): ReadonlyMap<string, Tensor>;
  /** A text of rank 0; the others give null. */
  tell(text: string | null): string;
  /** A text of each rank, in their order. */
  tellAll(text: string): readonly string[];
  /** The tensors of all ranks one behind the other along the first dimension. */
  gather(tensor: Tensor): Tensor;
}

/** The bytes of gradients that travel together: large enough that a network's delay is nothing beside them. */
const bucketBytes = 16 << 20;

/** One process by itself. */
export const alone: Ranks = {
  rank: 0,
  size: 1,
  sharing: 1,
  local: 0,
  gradients(loss, parameters, others = []) {
    const found = gradients([loss], [...others, ...parameters]);
    return { parameters: found.slice(others.length), others: found.slice(0, others.length) };
  },
  sum: (numbers) => numbers,
  average_: () => {},
  follow_: () => {},
  share: (tensors) => tensors ?? new Map(),
  tell: (text) => text ?? '',
  tellAll: (text) => [text],
  gather: (tensor) => tensor.clone(),
};

/** One of several that have joined: `joinRanks`. */
export class JoinedRanks implements Ranks {
  readonly rank: number;
  readonly size: number;
  readonly sharing: number;
  readonly local: number;

  constructor(place: Pick<Ranks, 'rank' | 'size' | 'sharing' | 'local'>) {
    this.rank = place.rank;
    this.size = place.size;
    this.sharing = place.sharing;
    this.local = place.local;
  }

  gradients(loss: Tensor, parameters: readonly Tensor[], others: readonly Tensor[] = []) {
    const found = reducedGradients(loss, parameters, { others, bucketBytes });
    return { parameters: found.slice(0, parameters.length), others: found.slice(parameters.length) };
  }

  sum(numbers: readonly number[]): readonly number[] {
    return sumNumbers(numbers);
  }

  average_(tensors: readonly Tensor[]): void {
    scope(() =>
      noGrad(() => {
        const sums = this.sum(tensors.flatMap((each) => [...each.numbers()]));
        let first = 0;
        for (const each of tensors) {
          const mean = Float64Array.from(sums.slice(first, first + each.size), (sum) => sum / this.size);
          first += each.size;
          each.copy_(tensor(mean, each.shape));
        }
      }),
    );
  }

  follow_(tensors: readonly Tensor[]): void {
    noGrad(() => broadcast_(tensors));
  }

  share(tensors: ReadonlyMap<string, Tensor> | null): ReadonlyMap<string, Tensor> {
    const entries = [...(tensors ?? [])].map(([name, { shape, dtype }]) => ({ name, shape, dtype }));
    const list = JSON.parse(this.tell(this.rank === 0 ? JSON.stringify(entries) : null)) as typeof entries;
    const own =
      tensors ??
      new Map(
        list.map(({ name, shape, dtype }) => [
          name,
          scope(() => tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape).to(dtype)),
        ]),
      );
    this.follow_([...own.values()]);
    return own;
  }

  tell(text: string | null): string {
    const bytes = new TextEncoder().encode(text ?? '');
    return scope(() => {
      const length = integers([bytes.length]);
      this.follow_([length]);
      const letters = this.rank === 0 ? bytes : new Uint8Array(length.item());
      if (letters.length === 0) return '';
      const carried = tensor(letters, [letters.length]);
      this.follow_([carried]);
      return new TextDecoder().decode(carried.data() as Uint8Array);
    });
  }

  tellAll(text: string): readonly string[] {
    const bytes = new TextEncoder().encode(text);
    return scope(() => {
      const lengths = this.gather(integers([bytes.length])).numbers();
      const longest = Math.max(1, ...lengths);
      const padded = new Uint8Array(longest);
      padded.set(bytes);
      const all = this.gather(tensor(padded, [longest])).data() as Uint8Array;
      return Array.from(lengths, (length, rank) =>
        new TextDecoder().decode(all.subarray(rank * longest, rank * longest + length)),
      );
    });
  }

  gather(tensor: Tensor): Tensor {
    return gather(tensor);
  }
}

/** How many of `whole` things each rank takes. @throws {InputError} where they cannot be shared equally. */
export function shareOf(whole: number, name: string, { size }: Pick<Ranks, 'size'>): number {
  if (whole % size !== 0)
    throw InputError.expected(
      `a multiple of the ${size} ranks`,
      name,
      whole,
      'Every rank takes as many images of a batch as the others.',
    );
  return whole / size;
}

/** The numbers from 0 to `count` − 1 that this rank takes: every `size`-th. */
export function placesOf(count: number, { rank, size }: Pick<Ranks, 'rank' | 'size'>): number[] {
  return Array.from({ length: count }, (_, place) => place).filter((place) => place % size === rank);
}
