import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { availableParallelism, hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, EngineError, InputError, InterruptedError, RunError, SatinError } from '../errors.js';
import {
  announceFailure,
  availableBackends,
  destroyProcessGroup,
  groupFailure,
  initProcessGroup,
  store,
  watchRanks,
} from './collectives.js';
import type { Launch } from './launcher-environment.js';
import { DistributedProcessGroup, type ProcessGroup } from './process-group.js';

export interface JoinOptions {
  /** `cuda` talks by NCCL, a GPU for each rank of a machine. */
  readonly device: 'cpu' | 'cuda';
  /** Asked while this rank waits for the others. */
  readonly interrupted?: () => boolean;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Seconds for which ranks wait for each other at the start: machines of one job do not start at once. */
const patience = 600;
/** Seconds without a sign of life after which a rank is lost. */
const usualLostAfter = 20;

/** What a rank tells the others of itself. */
interface Introduction {
  readonly host: string;
  readonly pid: number;
  /** Which processors it may use. */
  readonly processors: string;
}

/**
 * Runs `body` as one of several processes, which meet at rank 0. A rank that is lost, or ends with an error, ends all
 * others within a minute, each with a sentence that says which one it was.
 *
 * @throws {InputError} where the engine has no backend between processes, or rank 0's port is taken.
 * @throws {RunError} `ranks-missing` where the others do not come, `rank-lost` where one is lost or has failed.
 */
export async function withProcessGroup<T>(
  launch: Launch,
  options: JoinOptions,
  body: (ranks: ProcessGroup) => Promise<T>,
): Promise<T> {
  const ranks = await join(launch, options);
  try {
    const result = await body(ranks);
    // Nobody leaves while another may still need something of it.
    ranks.allReduce([1]);
    await part(ranks);
    destroyProcessGroup({ clean: true });
    return result;
  } catch (error) {
    const end = groupFailure();
    tellOthers(`Rank ${launch.rank} of ${launch.size} on ${hostname()} ended: ${sentenceOf(error)}`);
    destroyProcessGroup({ clean: false });
    if (end === null || !(error instanceof EngineError)) throw error;
    const remedy = end.startsWith('Lost') ? ' Continue from the last checkpoint with `resume`.' : '';
    throw new RunError('rank-lost', `${end}.${remedy}`);
  }
}

/** So that they end too, with a reason; a store that is gone hears nothing more. */
function tellOthers(sentence: string): void {
  try {
    announceFailure(sentence);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
  }
}

/** Waits until all have come as far; rank 0, which holds the store, leaves last. */
async function part({ rank, size }: ProcessGroup): Promise<void> {
  store.add('parted', 1);
  if (rank !== 0) return;
  const until = performance.now() + 5000;
  while (store.add('parted', 0) < size && performance.now() < until) await sleep(10);
}

function sentenceOf(error: unknown): string {
  if (error instanceof SatinError) return error.message.replace(/\.$/, '');
  return describe(error instanceof Error ? error.message : error);
}

async function join(launch: Launch, options: JoinOptions): Promise<ProcessGroup> {
  const { rank, size, host, port } = launch;
  const { env = process.env, interrupted = () => false } = options;
  const backend = options.device === 'cuda' ? 'nccl' : 'gloo';
  if (!availableBackends().includes(backend)) throw missingBackend(backend, launch);
  const lostAfter = secondsOf(env, 'SATIN_LOST_AFTER', usualLostAfter);
  const wait = waiting(secondsOf(env, 'SATIN_RENDEZVOUS_SECONDS', patience), interrupted);

  if (rank === 0) open(port);
  else {
    await wait(
      () => answers(host, port),
      () => `Expected rank 0 to answer at ${host}:${port}`,
    );
    store.open({ host, port, holds: false });
    await wait(
      async () => store.find('size') !== null,
      () => `Expected rank 0 to say how many ranks there are at ${host}:${port}`,
    );
  }
  requireOnce(launch);
  const own: Introduction = { host: hostname(), pid: process.pid, processors: processors() };
  store.set(`rank/${rank}`, JSON.stringify(own));
  const others = Array.from({ length: size }, (_, each) => each);
  const absent = () => others.filter((each) => store.find(`rank/${each}`) === null);
  await wait(
    async () => absent().length === 0,
    () =>
      `Expected ${size} ranks to meet at ${host}:${port} but ${absent().length} did not come: rank ${absent().join(', ')}`,
  );
  const all = others.map((each) => JSON.parse(store.find(`rank/${each}`)!) as Introduction);
  const names = all.map(({ host, pid }, each) => `rank ${each} of ${size} (${host}, process ${pid})`);
  const interval = Math.min(1000, (lostAfter * 1000) / 5);
  const missing = Math.round((lostAfter * 1000) / interval);
  watchRanks({ host: rank === 0 ? '127.0.0.1' : host, port, rank, names, interval, missing });

  const localRank = all.slice(0, rank).filter((each) => each.host === own.host).length;
  const device = options.device === 'cuda' ? `cuda:${localRank}` : 'cpu';
  const localSize = all.filter((each) => each.host === own.host && each.processors === own.processors).length;
  const spins = localSize <= availableParallelism();
  try {
    initProcessGroup({ backend, device, address: addressOf(all, env), rank, size, spins });
  } catch (error) {
    const end = groupFailure();
    destroyProcessGroup({ clean: false });
    throw end === null ? error : new RunError('rank-lost', `${end}.`);
  }
  return new DistributedProcessGroup({ rank, size, localRank, localSize });
}

/** Threads for a rank whose recipe names no number: its part of the processors that it shares with others. */
export function threadsOfRank({ localSize }: Pick<ProcessGroup, 'localSize'>): number {
  return Math.max(1, Math.floor(availableParallelism() / localSize));
}

/** Waits for something, asking ten times a second, and lets Ctrl-C through. */
function waiting(seconds: number, interrupted: () => boolean) {
  return async (isThere: () => Promise<boolean>, otherwise: () => string): Promise<void> => {
    const until = performance.now() + seconds * 1000;
    while (!(await isThere())) {
      if (interrupted())
        throw new InterruptedError('Interrupted while the ranks were waiting for each other.');
      if (performance.now() > until)
        throw new RunError('ranks-missing', `${otherwise()}; gave up after ${seconds} s.`);
      await sleep(100);
    }
  };
}

/** Whether anybody listens there. */
function answers(host: string, port: number): Promise<boolean> {
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

function open(port: number): void {
  try {
    store.open({ host: '127.0.0.1', port, holds: true });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(
      'port-taken',
      `Expected port ${port} of this machine to be free for rank 0 but it is not (${reason}). Set MASTER_PORT to another one, the same for all ranks.`,
    );
  }
}

/** @throws {InputError} where another process has the same rank, or counts other ranks. */
function requireOnce({ rank, size }: Launch): void {
  if (rank === 0) store.set('size', String(size));
  const expected = store.find('size');
  if (expected !== String(size))
    throw InputError.expected(`${expected}, as rank 0 has it,`, `the number of ranks of rank ${rank}`, size);
  if (store.add(`joined/${rank}`, 1) > 1)
    throw InputError.expected('a rank that no other process has', 'the rank', rank);
}

/** By which address the others reach this rank; nothing: what its name stands for. */
function addressOf(all: readonly Introduction[], env: NonNullable<JoinOptions['env']>): string {
  const wanted = env.GLOO_SOCKET_IFNAME;
  if (wanted !== undefined && wanted !== '') return `interface:${wanted}`;
  return new Set(all.map(({ host }) => host)).size === 1 ? '127.0.0.1' : '';
}

/** The processors that this process may use, as Linux writes it. */
function processors(): string {
  try {
    return /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
  } catch {
    return '';
  }
}

function secondsOf(env: NonNullable<JoinOptions['env']>, name: string, usual: number): number {
  const text = env[name];
  if (text === undefined || text === '') return usual;
  const value = Number(text);
  if (!(value >= 1 && value <= 3600))
    throw InputError.expected('a number of seconds from 1 to 3600', name, text);
  return value;
}

function missingBackend(backend: 'gloo' | 'nccl', { size, launcher }: Launch): InputError {
  const remedy =
    backend === 'gloo'
      ? 'Install libtorch-dev and libgloo-dev and run `npm run setup`, or start one process.'
      : 'NCCL takes a libtorch with CUDA and the header nccl.h in its folder of headers; or train with device: cpu.';
  return new InputError(
    'no-collectives',
    `Expected an engine with ${backend === 'gloo' ? 'Gloo' : 'NCCL'} for ${size} processes of ${launcher} but this one was built without. ${remedy}`,
  );
}
