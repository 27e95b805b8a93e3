import { native } from '../engine/native.js';
import { operator } from '../tensor/operator.js';
import { one, Tensor } from '../tensor/tensor.js';

/** Collective operations between the processes that train together, as the binding offers them. */

/** How tensors travel between ranks: `gloo` between CPUs, `nccl` between GPUs. */
export type Backend = 'gloo' | 'nccl';

/** The backends that this engine has; none where it was built without. */
export function availableBackends(): readonly Backend[] {
  return native().distributedBackends() as Backend[];
}

/** The keys and values that all ranks share. Rank 0 holds them. */
export const store = {
  /** Opens it, or connects to it. */
  open({
    host,
    port,
    holds,
  }: {
    readonly host: string;
    readonly port: number;
    readonly holds: boolean;
  }): void {
    native().openStore(host, port, holds);
  },
  set(key: string, value: string): void {
    native().storeSet(key, value);
  },
  /** The value; null where there is none yet. */
  find(key: string): string | null {
    return native().storeFind(key);
  },
  /** Adds to a number that begins at 0; answers the sum. */
  add(key: string, amount: number): number {
    return native().storeAdd(key, amount);
  },
};

export interface ProcessGroupOptions {
  readonly backend: Backend;
  /** The device of this rank's tensors: `cpu`, `cuda:1`. */
  readonly device: string;
  /** Where the others reach this rank: an address, `interface:NAME`, or nothing for the machine's own. */
  readonly address: string;
  readonly rank: number;
  readonly size: number;
  /** Whether a rank that waits for a few numbers may keep its processor busy, which is fastest. */
  readonly spins: boolean;
}

/** Joins all ranks; returns when every one has. */
export function initProcessGroup({ backend, device, address, rank, size, spins }: ProcessGroupOptions): void {
  native().joinGroup(backend, device, address, rank, size, spins);
}

export interface WatchOptions {
  readonly host: string;
  readonly port: number;
  readonly rank: number;
  /** How each rank reads in a sentence. */
  readonly names: readonly string[];
  /** Milliseconds between two signs of life. */
  readonly interval: number;
  /** How many missing ones in a row mean that a rank is lost. */
  readonly missing: number;
}

/** Begins to give signs of life and to look for those of others, in threads of their own. */
export function watchRanks({ host, port, rank, names, interval, missing }: WatchOptions): void {
  native().watchRanks(host, port, rank, names.join('\n'), interval, missing);
}

/** Why the ranks cannot go on, as a sentence without its full stop; null while all is well. */
export function groupFailure(): string | null {
  return native().endOfTheRanks();
}

/** Tells the other ranks why this one ends. */
export function announceFailure(sentence: string): void {
  native().announceEndOfRanks(sentence);
}

/** Gives up watch, group and store; not `clean` where others may be gone. */
export function destroyProcessGroup({ clean }: { readonly clean: boolean }): void {
  native().leaveRanks(clean);
}

/** The sums of numbers over all ranks. */
export function allReduceNumbers(numbers: readonly number[]): number[] {
  return native().allReduceNumbers(numbers);
}

/** Every rank's tensors become those of rank 0. */
export function broadcast_(tensors: readonly Tensor[]): void {
  native().broadcastTensors(tensors.map(({ handle }) => handle));
}

/** The tensors of all ranks, of one shape, one behind the other along the first dimension. */
export function allGather(tensor: Tensor): Tensor {
  return new Tensor(native().allGather(tensor.handle));
}

/** The sum over all ranks; its gradient is the sum of theirs, so it can be differentiated again. */
export function allReduceSum(tensor: Tensor): Tensor {
  return one(sumOperator, tensor.handle);
}

/**
 * d output / d parameters as means over all ranks, then d output / d others as they are on this one. The means travel in
 * buckets of so many bytes while the gradients of earlier layers are still computed.
 */
export function allReducedGradients(
  output: Tensor,
  parameters: readonly Tensor[],
  options: { readonly others?: readonly Tensor[]; readonly bucketBytes: number },
): Tensor[] {
  const { others = [], bucketBytes } = options;
  const handles = (tensors: readonly Tensor[]) => tensors.map(({ handle }) => handle);
  return native()
    .reducedGradients(output.handle, handles(parameters), handles(others), bucketBytes)
    .map((handle) => new Tensor(handle));
}

const sumOperator = operator('satin::all_reduce_sum');
