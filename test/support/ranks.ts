import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Job, Outcome } from './rank-jobs.js';
import { mainFile } from './tiny-run.js';

const program = fileURLToPath(new URL('./rank-process.js', import.meta.url));

export interface RankEnded {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A port of this machine that nobody uses. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

export interface Started {
  readonly processes: readonly ChildProcess[];
  /** What came of each, once all have ended. */
  readonly ended: Promise<readonly RankEnded[]>;
}

/** Starts a program of Node as many times as there are command lines, as ranks that meet by plain variables. */
export async function startRanks(
  commands: readonly (readonly string[])[],
  env: Readonly<Record<string, string>> = {},
): Promise<Started> {
  const port = String(await freePort());
  const place = { WORLD_SIZE: String(commands.length), MASTER_ADDR: '127.0.0.1', MASTER_PORT: port };
  const processes = commands.map((words, rank) =>
    spawn(process.execPath, words, {
      env: { ...process.env, OMP_NUM_THREADS: '1', ...place, RANK: String(rank), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
  return { processes, ended: Promise.all(processes.map(endOf)) };
}

/** The command line of `satin` in a process that belongs to no others, while this one goes on. */
export function satinAlone(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<RankEnded> {
  return endOf(
    spawn(process.execPath, [mainFile, ...words], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
}

function endOf(child: ChildProcess): Promise<RankEnded> {
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      said[name] += text;
    });
  return new Promise((resolve) => child.once('close', (status) => resolve({ status, ...said })));
}

/** Jobs done by so many ranks together. */
export async function jobsOf(ranks: number, jobs: readonly Job[]): Promise<readonly Outcome[]> {
  const command = [program, JSON.stringify(jobs)];
  const { ended } = await startRanks(Array.from({ length: ranks }, () => command));
  const all = await ended;
  for (const [rank, { status, stderr }] of all.entries())
    if (status !== 0) throw new Error(`Rank ${rank} ended with ${status}: ${stderr}`);
  return JSON.parse(all[0]!.stdout) as readonly Outcome[];
}

/** The command line of `satin` as ranks. */
export function satinRanks(
  lines: readonly (readonly string[])[],
  env: Readonly<Record<string, string>> = {},
): Promise<Started> {
  return startRanks(
    lines.map((words) => [mainFile, ...words]),
    env,
  );
}
