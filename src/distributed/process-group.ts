import { InputError } from '../errors.js';
import { integers, tensor } from '../tensor/create.js';
import { gradients, noGrad } from '../tensor/gradient.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import {
  allGather,
  allReducedGradients,
  allReduceMean_,
  allReduceNumbers,
  broadcast_,
} from './collectives.js';

/**
 * Processes that train one network together, each on its part of every batch. All methods are collective: every rank
 * must call them in the same order.
 */
export interface ProcessGroup {
  /** Rank of this process, from 0. Only rank 0 writes files. */
  readonly rank: number;
  /** World size. */
  readonly size: number;
  /** Number of ranks that share this one's processors, including itself. */
  readonly localSize: number;
  /** Index of this rank's GPU among those that its process may use. */
  readonly gpu: number;
  /** d loss / d parameters averaged over all ranks, and d loss / d others of this rank. */
  gradients(
    loss: Tensor,
    parameters: readonly Tensor[],
    others?: readonly Tensor[],
  ): { readonly parameters: Tensor[]; readonly others: Tensor[] };
  /** Element-wise sums over all ranks. */
  allReduce(numbers: readonly number[]): readonly number[];
  /** Averages tensors over all ranks, in place. */
  allReduceMean_(tensors: readonly Tensor[]): void;
  /** Overwrites tensors with those of rank 0, in place. */
  broadcast_(tensors: readonly Tensor[]): void;
  /** Broadcasts named tensors of rank 0 as newly allocated tensors; other ranks pass null. */
  broadcastState(tensors: ReadonlyMap<string, Tensor> | null): ReadonlyMap<string, Tensor>;
  /** Broadcasts a string of rank 0; other ranks pass null. */
  broadcastText(text: string | null): string;
  /** The strings of all ranks, in rank order. */
  allGatherText(text: string): readonly string[];
  /** Concatenates the tensors of all ranks along the first dimension. */
  allGather(tensor: Tensor): Tensor;
}

/** Size of a gradient bucket in bytes: large enough for the network latency to be negligible. */
const bucketBytes = 16 << 20;

/** The process group of a single process. */
export const singleProcess: ProcessGroup = {
  rank: 0,
  size: 1,
  localSize: 1,
  gpu: 0,
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

/** A member of a group of several processes, created by `withProcessGroup`. */
export class DistributedProcessGroup implements ProcessGroup {
  readonly rank: number;
  readonly size: number;
  readonly localSize: number;
  readonly gpu: number;

  constructor(position: Pick<ProcessGroup, 'rank' | 'size' | 'localSize' | 'gpu'>) {
    this.rank = position.rank;
    this.size = position.size;
    this.localSize = position.localSize;
    this.gpu = position.gpu;
  }

  gradients(loss: Tensor, parameters: readonly Tensor[], others: readonly Tensor[] = []) {
    const found = allReducedGradients(loss, parameters, { others, bucketBytes });
    return { parameters: found.slice(0, parameters.length), others: found.slice(parameters.length) };
  }

  allReduce(numbers: readonly number[]): readonly number[] {
    return allReduceNumbers(numbers);
  }

  allReduceMean_(tensors: readonly Tensor[]): void {
    allReduceMean_(tensors);
  }

  broadcast_(tensors: readonly Tensor[]): void {
    noGrad(() => broadcast_(tensors));
  }

  broadcastState(tensors: ReadonlyMap<string, Tensor> | null): ReadonlyMap<string, Tensor> {
    const entries = [...(tensors ?? [])].map(([name, { shape, dtype }]) => ({ name, shape, dtype }));
    const list = JSON.parse(
      this.broadcastText(this.rank === 0 ? JSON.stringify(entries) : null),
    ) as typeof entries;
    const received =
      tensors ??
      new Map(
        list.map(({ name, shape, dtype }) => [
          name,
          scope(() => tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape).to(dtype)),
        ]),
      );
    this.broadcast_([...received.values()]);
    return received;
  }

  broadcastText(text: string | null): string {
    const bytes = new TextEncoder().encode(text ?? '');
    return scope(() => {
      const length = integers([bytes.length]);
      this.broadcast_([length]);
      const buffer = this.rank === 0 ? bytes : new Uint8Array(length.item());
      if (buffer.length === 0) return '';
      const payload = tensor(buffer, [buffer.length]);
      this.broadcast_([payload]);
      return new TextDecoder().decode(payload.data() as Uint8Array);
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

/** The number of items per rank. @throws {InputError} if `whole` is not divisible by the world size. */
export function batchOfRank(whole: number, name: string, { size }: Pick<ProcessGroup, 'size'>): number {
  if (whole % size !== 0)
    throw InputError.expected(
      `a multiple of the ${size} ranks`,
      name,
      whole,
      'Every rank processes the same number of images.',
    );
  return whole / size;
}

/** This rank's indices among 0 to `count` − 1: every `size`-th. */
export function indicesOfRank(count: number, { rank, size }: Pick<ProcessGroup, 'rank' | 'size'>): number[] {
  return Array.from({ length: count }, (_, index) => index).filter((index) => index % size === rank);
}
