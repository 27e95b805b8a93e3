import { InputError } from '../errors.js';
import { integers, tensor } from '../tensor/create.js';
import { gradients, noGrad } from '../tensor/gradient.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { allGather, allReducedGradients, allReduceNumbers, broadcast_ } from './collectives.js';

/**
 * Processes that train one network together, each on its part of every batch. Whatever one of them does here, all must
 * do, in the same order.
 */
export interface ProcessGroup {
  /** Which one this is, from 0. Rank 0 writes. */
  readonly rank: number;
  /** How many there are. */
  readonly size: number;
  /** How many of them share this one's processors, itself included. */
  readonly localSize: number;
  /** Which one of its machine this is, from 0. */
  readonly localRank: number;
  /** d loss / d parameters as means over all ranks, and d loss / d others as they are on this one. */
  gradients(
    loss: Tensor,
    parameters: readonly Tensor[],
    others?: readonly Tensor[],
  ): { readonly parameters: Tensor[]; readonly others: Tensor[] };
  /** Sums over all ranks. */
  allReduce(numbers: readonly number[]): readonly number[];
  /** Turns tensors into their means over all ranks, in place. */
  allReduceMean_(tensors: readonly Tensor[]): void;
  /** Turns tensors into those of rank 0, in place. */
  broadcast_(tensors: readonly Tensor[]): void;
  /** Those of rank 0, by name, as tensors of this rank's own; the others give null. */
  broadcastState(tensors: ReadonlyMap<string, Tensor> | null): ReadonlyMap<string, Tensor>;
  /** A text of rank 0; the others give null. */
  broadcastText(text: string | null): string;
  /** A text of each rank, in their order. */
  allGatherText(text: string): readonly string[];
  /** The tensors of all ranks one behind the other along the first dimension. */
  allGather(tensor: Tensor): Tensor;
}

/** The bytes of gradients that travel together: large enough that a network's delay is nothing beside them. */
const bucketBytes = 16 << 20;

/** One process by itself. */
export const singleProcess: ProcessGroup = {
  rank: 0,
  size: 1,
  localSize: 1,
  localRank: 0,
  gradients(loss, parameters, others = []) {
    const found = gradients([loss], [...others, ...parameters]);
    return { parameters: found.slice(others.length), others: found.slice(0, others.length) };
  },
  allReduce: (numbers) => numbers,
  allReduceMean_: () => {},
  broadcast_: () => {},
  broadcastState: (tensors) => tensors ?? new Map(),
  broadcastText: (text) => text ?? '',
  allGatherText: (text) => [text],
  allGather: (tensor) => tensor.clone(),
};

/** One of several that have joined: `joinRanks`. */
export class DistributedProcessGroup implements ProcessGroup {
  readonly rank: number;
  readonly size: number;
  readonly localSize: number;
  readonly localRank: number;

  constructor(place: Pick<ProcessGroup, 'rank' | 'size' | 'localSize' | 'localRank'>) {
    this.rank = place.rank;
    this.size = place.size;
    this.localSize = place.localSize;
    this.localRank = place.localRank;
  }

  gradients(loss: Tensor, parameters: readonly Tensor[], others: readonly Tensor[] = []) {
    const found = allReducedGradients(loss, parameters, { others, bucketBytes });
    return { parameters: found.slice(0, parameters.length), others: found.slice(parameters.length) };
  }

  allReduce(numbers: readonly number[]): readonly number[] {
    return allReduceNumbers(numbers);
  }

  allReduceMean_(tensors: readonly Tensor[]): void {
    scope(() =>
      noGrad(() => {
        const sums = this.allReduce(tensors.flatMap((each) => [...each.numbers()]));
        let first = 0;
        for (const each of tensors) {
          const mean = Float64Array.from(sums.slice(first, first + each.size), (sum) => sum / this.size);
          first += each.size;
          each.copy_(tensor(mean, each.shape));
        }
      }),
    );
  }

  broadcast_(tensors: readonly Tensor[]): void {
    noGrad(() => broadcast_(tensors));
  }

  broadcastState(tensors: ReadonlyMap<string, Tensor> | null): ReadonlyMap<string, Tensor> {
    const entries = [...(tensors ?? [])].map(([name, { shape, dtype }]) => ({ name, shape, dtype }));
    const list = JSON.parse(
      this.broadcastText(this.rank === 0 ? JSON.stringify(entries) : null),
    ) as typeof entries;
    const own =
      tensors ??
      new Map(
        list.map(({ name, shape, dtype }) => [
          name,
          scope(() => tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape).to(dtype)),
        ]),
      );
    this.broadcast_([...own.values()]);
    return own;
  }

  broadcastText(text: string | null): string {
    const bytes = new TextEncoder().encode(text ?? '');
    return scope(() => {
      const length = integers([bytes.length]);
      this.broadcast_([length]);
      const letters = this.rank === 0 ? bytes : new Uint8Array(length.item());
      if (letters.length === 0) return '';
      const carried = tensor(letters, [letters.length]);
      this.broadcast_([carried]);
      return new TextDecoder().decode(carried.data() as Uint8Array);
    });
  }

  allGatherText(text: string): readonly string[] {
    const bytes = new TextEncoder().encode(text);
    return scope(() => {
      const lengths = this.allGather(integers([bytes.length])).numbers();
      const longest = Math.max(1, ...lengths);
      const padded = new Uint8Array(longest);
      padded.set(bytes);
      const all = this.allGather(tensor(padded, [longest])).data() as Uint8Array;
      return Array.from(lengths, (length, rank) =>
        new TextDecoder().decode(all.subarray(rank * longest, rank * longest + length)),
      );
    });
  }

  allGather(tensor: Tensor): Tensor {
    return allGather(tensor);
  }
}

/** How many of `whole` things each rank takes. @throws {InputError} where they cannot be shared equally. */
export function batchOfRank(whole: number, name: string, { size }: Pick<ProcessGroup, 'size'>): number {
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
export function indicesOfRank(count: number, { rank, size }: Pick<ProcessGroup, 'rank' | 'size'>): number[] {
  return Array.from({ length: count }, (_, place) => place).filter((place) => place % size === rank);
}
