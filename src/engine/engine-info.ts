import { InputError } from '../errors.js';
import { engineRecord, native } from './native.js';

export interface EngineInfo {
  readonly libtorch: string;
  /** How that libtorch was found, and where: `system, /usr`. */
  readonly source: string;
  readonly threads: number;
  readonly cuda: boolean;
  readonly oneDnn: boolean;
  readonly mkl: boolean;
  /** The instruction set that libtorch's own kernels use. */
  readonly capability: string;
}

/** What the engine is and can do. */
export function engineInfo(): EngineInfo {
  const [libtorch, threads, cuda, oneDnn, mkl, capability] = native().engine();
  const { kind, folder } = engineRecord();
  return { libtorch, source: `${kind}, ${folder}`, threads, cuda, oneDnn, mkl, capability };
}

/** How many threads Satin's own kernels really run on: 1 means that the binding was compiled without OpenMP. */
export function parallelWidth(): number {
  return native().parallelWidth();
}

/** How many threads an operator may use; all processors by default. */
export function setThreads(threads: number): void {
  if (!Number.isInteger(threads) || threads < 1)
    throw InputError.expected('a whole number of at least 1', 'threads', threads);
  native().setThreads(threads);
}

export interface MemoryInfo {
  /** Tensors that JavaScript holds. */
  readonly liveTensors: number;
  /** Bytes in use by tensors, held by JavaScript or by the engine itself. */
  readonly liveBytes: number;
  /** Bytes freed and kept for the next tensor. */
  readonly cachedBytes: number;
  readonly peakBytes: number;
}

/** Where the engine's CPU memory stands. */
export function memoryInfo(): MemoryInfo {
  const [liveBytes, , cachedBytes, peakBytes] = native().memory();
  return { liveTensors: native().liveTensors(), liveBytes, cachedBytes, peakBytes };
}

/** Gives cached memory back to the system. */
export function emptyCache(): void {
  native().emptyCache();
}

/** The engine's warnings since the last call. */
export function takeWarnings(): readonly string[] {
  return native().takeWarnings();
}
