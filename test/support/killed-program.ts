/** Command lines in processes of their own that are killed by SIGKILL, at seeded moments. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, statSync, watch } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { mainFile } from './tiny-run.js';

/** Numbers from 0 to 1, the same for the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  for (let turn = 0; turn < 4; turn++) next(); // neighbouring seeds begin alike
  return next;
}

/**
 * When a process is killed: so many milliseconds after it was started; so many after it first wrote to its log; or at
 * once when it has written so many files or parts of them since then.
 */
export type Moment =
  | { readonly after: 'start'; readonly milliseconds: number }
  | { readonly after: 'log'; readonly milliseconds: number }
  | { readonly after: 'writes'; readonly count: number };

/** Draws a moment: a sixth while the program starts, a third after any time of work, a half while it writes. */
export function drawMoment(
  random: () => number,
  most: { readonly milliseconds: number; readonly writes: number },
): Moment {
  const kind = random();
  if (kind < 1 / 6) return { after: 'start', milliseconds: random() * 1500 };
  if (kind < 1 / 2) return { after: 'log', milliseconds: random() * most.milliseconds };
  return { after: 'writes', count: 1 + Math.floor(random() * most.writes) };
}

export interface Killable {
  /** A command line, or one for each rank. */
  readonly lines: readonly (readonly string[])[];
  /** Further variables for a rank. */
  readonly env?: (rank: number) => Readonly<Record<string, string>>;
  /** A file that grows as the program works. */
  readonly log: string;
  /** The folder of which names of files that match `written` count as writes. */
  readonly folder: string;
  readonly written: RegExp;
}

/**
 * Starts a program and kills all of its processes at a moment.
 *
 * @returns whether they were killed; false where all had ended well before.
 */
export async function startAndKill(program: Killable, moment: Moment): Promise<boolean> {
  const { lines, env = () => ({}), log, folder, written } = program;
  const said = lines.map(() => '');
  const children = lines.map((words, rank) => {
    const child = spawn(process.execPath, [mainFile, ...words], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...env(rank) },
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said[rank] = `${said[rank]}${text}`.slice(-4000);
    });
    return child;
  });
  const endings = Promise.all(children.map(endOf));
  const lives = () => children.some(({ exitCode }) => exitCode === null);
  const kill = () => {
    for (const child of children) child.kill('SIGKILL');
  };
  const sizeOf = () => (existsSync(log) ? statSync(log).size : -1);
  const before = sizeOf();
  const hasLogged = () => sizeOf() > 0 && sizeOf() !== before;
  if (moment.after === 'start') await sleep(moment.milliseconds);
  else {
    while (lives() && !hasLogged()) await sleep(1);
    if (moment.after === 'writes') await writes(folder, { written, count: moment.count, lives });
    else await sleep(moment.milliseconds);
  }
  kill();
  const ended = await endings;
  if (ended.every(({ signal }) => signal === 'SIGKILL')) return true;
  // A rank that had ended before the others were killed ended well too.
  for (const [rank, { status, signal }] of ended.entries())
    assert.ok(status === 0 || signal === 'SIGKILL', `exit code ${status}: ${said[rank]}`);
  return ended.some(({ signal }) => signal === 'SIGKILL');
}

/** Waits until files of a folder were written so many times. */
async function writes(
  folder: string,
  {
    written,
    count,
    lives,
  }: { readonly written: RegExp; readonly count: number; readonly lives: () => boolean },
): Promise<void> {
  while (lives() && !existsSync(folder)) await sleep(1);
  if (!lives()) return;
  let left = count;
  const watcher = watch(folder);
  const seen = new Promise<void>((resolve) => {
    watcher.on('change', (_, name) => {
      if (written.test(String(name)) && --left === 0) resolve();
    });
  });
  const gone = (async () => {
    while (lives() && left > 0) await sleep(20);
  })();
  await Promise.race([seen, gone]);
  watcher.close();
}

function endOf(
  child: ChildProcess,
): Promise<{ readonly status: number | null; readonly signal: string | null }> {
  return new Promise((resolve) => child.once('close', (status, signal) => resolve({ status, signal })));
}
