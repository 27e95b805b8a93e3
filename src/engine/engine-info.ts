import { InputError } from '../errors.js';
import { engineRecord, native } from './native.js';

export interface EngineInfo {
  readonly libtorch: string;
  /** How libtorch was found, and where: `system, /usr`. */
  readonly source: string;
  readonly threads: number;
  readonly cuda: boolean;
  readonly oneDnn: boolean;
  readonly mkl: boolean;
  /** CPU instruction set of libtorch's kernels. */
  readonly capability: string;
}

/** Version and capabilities of the engine. */
export function engineInfo(): EngineInfo {
  const [libtorch, threads, cuda, oneDnn, mkl, capability] = native().engine();
  const { kind, folder } = engineRecord();
  return { libtorch, source: `${kind}, ${folder}`, threads, cuda, oneDnn, mkl, capability };
}

/** Number of threads that Satin's own kernels actually use: 1 if the binding was compiled without OpenMP. */
export function parallelWidth(): number {
  return native().parallelWidth();
}

/** Sets the number of threads of an operator; the default is the number of processors. */
export function setThreads(threads: number): void {
  if (!Number.isInteger(threads) || threads < 1)
    throw InputError.expected('a whole number of at least 1', 'threads', threads);
  native().setThreads(threads);
}

export interface MemoryInfo {
  /** Number of tensors held by JavaScript. */
  readonly liveTensors: number;
  /** Bytes allocated by tensors, whether held by JavaScript or by the engine. */
  readonly liveBytes: number;
  /** Bytes freed and cached for reuse. */
  readonly cachedBytes: number;
  readonly peakBytes: number;
  /** What is left for tensors of what the machine, the container or the job gives. */
  readonly leftBytes: number;
}

/** Statistics of the engine's CPU memory. */
export function memoryInfo(): MemoryInfo {
  const [liveBytes, , cachedBytes, peakBytes, , , leftBytes] = native().memory();
  return { liveTensors: native().liveTensors(), liveBytes, cachedBytes, peakBytes, leftBytes };
}

/** Returns cached memory to the system. */
export function emptyCache(): void {
  native().emptyCache();
}

/** The engine's warnings since the last call. */
export function takeWarnings(): readonly string[] {
  return native().takeWarnings();
}
