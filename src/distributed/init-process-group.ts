import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { availableParallelism, hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { cards } from '../engine/device.js';
import { describe, EngineError, InputError, InterruptedError, RunError, SatinError } from '../errors.js';
import {
  announceFailure,
  availableBackends,
  destroyProcessGroup,
  groupFailure,
  initProcessGroup,
  recordEndOfJob,
  store,
  watchRanks,
} from './collectives.js';
import { writeErrorFile } from './error-file.js';
import { gpuOfRank } from './gpu-of-rank.js';
import type { Launch } from './launcher-environment.js';
import { DistributedProcessGroup, type ProcessGroup } from './process-group.js';

export interface JoinOptions {
  /** `cuda` uses NCCL and one GPU per local rank. */
  readonly device: 'cpu' | 'cuda';
  /** Polled while this rank waits for the others. */
  readonly interrupted?: () => boolean;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Seconds to wait for the other ranks at start-up: the nodes of a job do not start simultaneously. */
const defaultRendezvousSeconds = 600;
/** The same under torchrun, which starts all ranks at once, and again if one of them was lost before it joined. */
const torchrunRendezvousSeconds = 120;
/** Seconds without a heartbeat after which a rank counts as lost. */
const defaultLostAfter = 20;

/** What each rank publishes about itself. */
interface Introduction {
  readonly host: string;
  readonly pid: number;
  /** Its CPU affinity. */
  readonly processors: string;
  readonly device: JoinOptions['device'];
}

/**
 * Runs `body` as one of several processes that rendezvous at rank 0. If a rank is lost or fails, or calls another
 * operation than the others, all terminate within a minute with an error that names it.
 *
 * @throws {InputError} if the engine has no communication backend, or rank 0's port is in use.
 * @throws {RunError} `ranks-missing` if not all ranks join, `rank-lost` if one is lost or failed, `ranks-differ` if they
 *   do not call the same operations.
 */
export async function withProcessGroup<T>(
  launch: Launch,
  options: JoinOptions,
  body: (group: ProcessGroup) => Promise<T>,
): Promise<T> {
  const group = await join(launch, options);
  try {
    const result = await body(group);
    await arrive(group);
    // No rank may leave while a GPU of another still communicates with it.
    group.allReduce([1]);
    await leave(group);
    destroyProcessGroup({ clean: true });
    return result;
  } catch (error) {
    const end = groupFailure();
    // Before the others learn of it and write theirs: torchrun prints the earliest.
    if (end === null && error instanceof Error && !(error instanceof InterruptedError))
      writeErrorFile(error, options.env ?? process.env);
    notifyOthers(endOf(launch, error));
    destroyProcessGroup({ clean: false });
    if (end === null || !(error instanceof EngineError)) throw error;
    throw failureOf(end);
  }
}

/** The error of a rank whose group failed, from the sentence of its watchdog. */
function failureOf(end: string): RunError {
  if (end.startsWith('Expected'))
    return new RunError('ranks-differ', `${end}. Run the same program on all ranks.`);
  const remedy = end.startsWith('Lost') ? ' Continue from the last checkpoint with `resume`.' : '';
  return new RunError('rank-lost', `${end}.${remedy}`);
}

/**
 * Waits until all ranks have done their work. It waits at the store, since an operation could be paired with another one
 * of a rank that has more to do.
 */
async function arrive({ rank, size }: ProcessGroup): Promise<void> {
  store.set(`operations/${rank}`, recordEndOfJob());
  store.add('arrived', 1);
  while (store.add('arrived', 0) < size) {
    const end = groupFailure();
    if (end !== null) throw new EngineError(`${end}.`);
    await sleep(10);
  }
  const [leading, own] = [0, rank].map((each) => store.find(`operations/${each}`));
  if (leading !== own) throw failureOf(`Expected the operations of rank 0 on rank ${rank} but they differ`);
}

/** Best effort: fails silently if the store is gone. */
function notifyOthers(sentence: string): void {
  try {
    announceFailure(sentence);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
  }
}

/** Waits until all ranks have arrived here; rank 0, which hosts the store, leaves last. */
async function leave({ rank, size }: ProcessGroup): Promise<void> {
  store.add('parted', 1);
  if (rank !== 0) return;
  const until = performance.now() + 5000;
  while (store.add('parted', 0) < size && performance.now() < until) await sleep(10);
}

/** Why this rank ends, for the others. */
function endOf({ rank, size }: Launch, error: unknown): string {
  const reason =
    error instanceof SatinError
      ? error.message.replace(/\.$/, '')
      : describe(error instanceof Error ? error.message : error);
  return `Rank ${rank} of ${size} on ${hostname()} ended: ${reason}`;
}

async function join(launch: Launch, options: JoinOptions): Promise<ProcessGroup> {
  const { rank, size, host, port } = launch;
  const { env = process.env, interrupted = () => false } = options;
  const { device } = options;
  const backend = device === 'cuda' ? 'nccl' : 'gloo';
  if (!availableBackends().includes(backend)) throw missingBackend(backend, launch);
  const lostAfter = secondsOf(env, 'SATIN_LOST_AFTER', defaultLostAfter);
  const patience = launch.launcher === 'torchrun' ? torchrunRendezvousSeconds : defaultRendezvousSeconds;
  const wait = poller(secondsOf(env, 'SATIN_RENDEZVOUS_SECONDS', patience), interrupted);

  if (rank === 0) openStore(port);
  else {
    await wait(
      () => isReachable(host, port),
      () => `Expected rank 0 to answer at ${host}:${port}`,
    );
    store.open({ host, port, isHost: false });
    await wait(
      async () => store.find('size') !== null,
      () => `Expected rank 0 to publish the number of ranks at ${host}:${port}`,
    );
  }
  requireConsistentRank(launch);
  const self: Introduction = { host: hostname(), pid: process.pid, processors: processors(), device };
  store.set(`rank/${rank}`, JSON.stringify(self));
  const ranks = Array.from({ length: size }, (_, index) => index);
  const absent = () => ranks.filter((other) => store.find(`rank/${other}`) === null);
  await wait(
    async () => absent().length === 0,
    () =>
      `Expected ${size} ranks to meet at ${host}:${port} but ${absent().length} did not join: rank ${absent().join(', ')}`,
  );
  const all = ranks.map((other) => JSON.parse(store.find(`rank/${other}`)!) as Introduction);
  const names = all.map(({ host, pid }, other) => `rank ${other} of ${size} (${host}, process ${pid})`);
  const interval = Math.min(1000, (lostAfter * 1000) / 5);
  const missing = Math.round((lostAfter * 1000) / interval);
  watchRanks({ host: rank === 0 ? '127.0.0.1' : host, port, rank, names, interval, missing });

  const localRank = launch.localRank ?? all.slice(0, rank).filter((other) => other.host === self.host).length;
  const localSize = all.filter(
    (other) => other.host === self.host && other.processors === self.processors,
  ).length;
  const spins = localSize <= availableParallelism();
  try {
    const other = all.findIndex((each) => each.device !== all[0]!.device);
    if (other !== -1)
      throw new RunError(
        'ranks-differ',
        `Expected one kind of device but ${names[0]} uses ${all[0]!.device} and ${names[other]} uses ${all[other]!.device}: choose one as \`device\`.`,
      );
    const gpu = device === 'cuda' ? gpuOfRank(localRank, cards().length) : 0;
    initProcessGroup({
      backend,
      device: device === 'cuda' ? `cuda:${gpu}` : 'cpu',
      address: addressOf(all, env),
      rank,
      size,
      spins,
    });
    return new DistributedProcessGroup({ rank, size, localSize, gpu });
  } catch (error) {
    const end = groupFailure();
    notifyOthers(endOf(launch, error));
    destroyProcessGroup({ clean: false });
    throw end === null ? error : failureOf(end);
  }
}

/** Default number of threads of a rank: its share of the processors of its node. */
export function threadsOfRank({ localSize }: Pick<ProcessGroup, 'localSize'>): number {
  return Math.max(1, Math.floor(availableParallelism() / localSize));
}

/** Polls a condition ten times a second, until it holds, the timeout expires or the process is interrupted. */
function poller(seconds: number, interrupted: () => boolean) {
  return async (isReady: () => Promise<boolean>, failure: () => string): Promise<void> => {
    const until = performance.now() + seconds * 1000;
    while (!(await isReady())) {
      if (interrupted())
        throw new InterruptedError('Interrupted while the ranks were waiting for each other.');
      if (performance.now() > until)
        throw new RunError('ranks-missing', `${failure()}; gave up after ${seconds} s.`);
      await sleep(100);
    }
  };
}

/** Whether a TCP connection can be established. */
function isReachable(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 2000 });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true));
    socket.once('timeout', () => end(false));
    socket.once('error', () => end(false));
  });
}

function openStore(port: number): void {
  try {
    store.open({ host: '127.0.0.1', port, isHost: true });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(
      'port-taken',
      `Expected port ${port} of this machine to be free for rank 0 but it is not (${reason}). Set MASTER_PORT to another port, the same for all ranks.`,
    );
  }
}

/** @throws {InputError} if another process has the same rank, or a different world size. */
function requireConsistentRank({ rank, size }: Launch): void {
  if (rank === 0) store.set('size', String(size));
  const expected = store.find('size');
  if (expected !== String(size))
    throw InputError.expected(`${expected}, as on rank 0,`, `the number of ranks of rank ${rank}`, size);
  if (store.add(`joined/${rank}`, 1) > 1)
    throw InputError.expected('a rank that no other process has', 'the rank', rank);
}

/** The address at which the other ranks reach this one; empty: that of the host name. */
function addressOf(all: readonly Introduction[], env: NonNullable<JoinOptions['env']>): string {
  const wanted = env.GLOO_SOCKET_IFNAME;
  if (wanted !== undefined && wanted !== '') return `interface:${wanted}`;
  return new Set(all.map(({ host }) => host)).size === 1 ? '127.0.0.1' : '';
}

/** The CPU affinity of this process in Linux list format. */
function processors(): string {
  try {
    return /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
  } catch {
    return '';
  }
}

function secondsOf(env: NonNullable<JoinOptions['env']>, name: string, fallback: number): number {
  const text = env[name];
  if (text === undefined || text === '') return fallback;
  const value = Number(text);
  if (!(value >= 1 && value <= 3600))
    throw InputError.expected('a number of seconds from 1 to 3600', name, text);
  return value;
}

function missingBackend(backend: 'gloo' | 'nccl', { size, launcher }: Launch): InputError {
  const remedy =
    backend === 'gloo'
      ? 'Install libtorch-dev and libgloo-dev and run `npm run setup`, or start one process.'
      : 'NCCL requires a libtorch with CUDA and nccl.h in its include folder; or train with device: cpu.';
  return new InputError(
    'no-collectives',
    `Expected an engine with ${backend === 'gloo' ? 'Gloo' : 'NCCL'} for ${size} processes of ${launcher} but this one was built without it. ${remedy}`,
  );
}
