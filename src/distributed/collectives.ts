import { native } from '../engine/native.js';
import { operator } from '../tensor/operator.js';
import { one, Tensor } from '../tensor/tensor.js';

/** Collective operations, as provided by the native binding. */

/** Communication backend: `gloo` for CPU tensors, `nccl` for GPU tensors. */
export type Backend = 'gloo' | 'nccl';

/** The backends compiled into this engine, possibly none. */
export function availableBackends(): readonly Backend[] {
  return native().distributedBackends() as Backend[];
}

/** The key-value store shared by all ranks, hosted by rank 0. */
export const store = {
  /** Starts the store, or connects to it. */
  open({
    host,
    port,
    isHost,
  }: {
    readonly host: string;
    readonly port: number;
    readonly isHost: boolean;
  }): void {
    native().openStore(host, port, isHost);
  },
  set(key: string, value: string): void {
    native().storeSet(key, value);
  },
  /** The value; null if the key is not set. */
  find(key: string): string | null {
    return native().storeFind(key);
  },
  /** Adds to a counter that starts at 0 and returns the sum. */
  add(key: string, amount: number): number {
    return native().storeAdd(key, amount);
  },
};

export interface ProcessGroupOptions {
  readonly backend: Backend;
  /** The device of this rank's tensors: `cpu`, `cuda:1`. */
  readonly device: string;
  /** Address at which the other ranks reach this one: an IP, `interface:NAME`, or empty for that of the host name. */
  readonly address: string;
  readonly rank: number;
  readonly size: number;
  /** Whether a rank may busy-wait in small all-reduces, which has the lowest latency. */
  readonly spins: boolean;
}

/** Joins the process group; blocks until all ranks have joined. */
export function initProcessGroup({ backend, device, address, rank, size, spins }: ProcessGroupOptions): void {
  native().joinGroup(backend, device, address, rank, size, spins);
}

export interface WatchOptions {
  readonly host: string;
  readonly port: number;
  readonly rank: number;
  /** Descriptions of the ranks for error messages. */
  readonly names: readonly string[];
  /** Heartbeat interval in milliseconds. */
  readonly interval: number;
  /** Number of consecutive missed heartbeats after which a rank counts as lost. */
  readonly missing: number;
}

/** Starts sending heartbeats and monitoring those of the other ranks, in background threads. */
export function watchRanks({ host, port, rank, names, interval, missing }: WatchOptions): void {
  native().watchRanks(host, port, rank, names.join('\n'), interval, missing);
}

/** Why the process group failed, as a sentence without its full stop; null if it has not. */
export function groupFailure(): string | null {
  return native().endOfTheRanks();
}

/** Informs the other ranks why this one terminates. */
export function announceFailure(sentence: string): void {
  native().announceEndOfRanks(sentence);
}

/**
 * Calls `write`, during which this process is not terminated because another rank was lost: a checkpoint is completed.
 */
export function withoutTermination<T>(write: () => T): T {
  native().holdTermination(true);
  try {
    return write();
  } finally {
    native().holdTermination(false);
  }
}

/**
 * Declares that this rank starts no further operation, so that one that still does is told from a slow one. Returns a
 * digest of its operations, the same on all ranks.
 */
export function recordEndOfJob(): string {
  return native().recordEndOfJob();
}

/** Closes monitor, group and store; `clean` only if all ranks are still present. */
export function destroyProcessGroup({ clean }: { readonly clean: boolean }): void {
  native().leaveRanks(clean);
}

/** All-reduce: element-wise sums over all ranks. */
export function allReduceNumbers(numbers: readonly number[]): number[] {
  return native().allReduceNumbers(numbers);
}

/** Averages tensors over all ranks, in place: a single all-reduce in float64, without passing through JavaScript. */
export function allReduceMean_(tensors: readonly Tensor[]): void {
  native().allReduceMeans(tensors.map(({ handle }) => handle));
}

/** Broadcasts the tensors of rank 0 to all ranks, in place. */
export function broadcast_(tensors: readonly Tensor[]): void {
  native().broadcastTensors(tensors.map(({ handle }) => handle));
}

/** Concatenates the tensors of all ranks, of equal shape, along the first dimension. */
export function allGather(tensor: Tensor): Tensor {
  return new Tensor(native().allGather(tensor.handle));
}

/** Differentiable all-reduce: the sum over all ranks; its gradient is the sum of the ranks' gradients. */
export function allReduceSum(tensor: Tensor): Tensor {
  return one(sumOperator, tensor.handle);
}

/**
 * d output / d parameters averaged over all ranks, followed by d output / d others of this rank. The averages are
 * reduced in buckets of `bucketBytes`, overlapping with the backward pass of earlier layers.
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
