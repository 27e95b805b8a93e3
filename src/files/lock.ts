import {
  closeSync,
  fstatSync,
  openSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  unlinkSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { InputError, InterruptedError } from '../errors.js';
import { writeWhole } from './durable-file.js';
import { startBeat } from './file-beat.js';
import { parseJson } from './parse-json.js';
import { explainWriteError } from './system-error.js';

/**
 * The process that holds a lock. Process ids are reused, so it is identified by its start time and host as well; and they
 * are those of a container, so that of another one cannot be looked up.
 */
const ownerSchema = z.strictObject({
  pid: z.number(),
  host: z.string(),
  started: z.string(),
  /** The namespace of process ids: a container has its own. Empty if the system does not provide it. */
  namespace: z.string().default(''),
  /** Whether the holder changes the modification time of the lock while it lives. Older versions did not. */
  beats: z.boolean().default(false),
});

type Owner = z.output<typeof ownerSchema>;

/** Prevents other processes from writing the same run until `release`. */
export interface Lock {
  /** False once another process has taken the lock over, because this one gave no sign of life for a minute. */
  isHeld(): boolean;
  release(): void;
}

/** Seconds between the holder's signs of life. */
const beatSeconds = 5;
/** Seconds without one after which the holder of a lock on another machine counts as dead. */
const abandonedSeconds = 60;

/**
 * Acquires the lock of a run folder. A lock left by a terminated process of this machine is taken over.
 *
 * @throws InputError naming the process that holds it.
 */
export function acquireLock(run: string): Lock {
  const path = join(run, 'lock');
  const own = JSON.stringify(ownOwner());
  if (!create(path, own)) {
    const owner = parseOwner(readIfExists(path));
    if (isAlive(owner, path) || !takeOver(path, own)) throw lockedError(run, owner, path);
  }
  const beat = startBeat(path, beatSeconds);
  const isHeld = () => readIfExists(path) === own;
  return {
    isHeld,
    release() {
      beat.stop();
      if (isHeld()) rmSync(path, { force: true });
    },
  };
}

/**
 * Removes the lock of a run whose holder is on another machine, or in another container, and dead. Its process cannot be
 * looked up from here, but a holder that lives changes its lock every few seconds, whatever it computes; this waits until
 * the lock changes, or has not for a minute. A holder that was only suspended finds at its next checkpoint that it lost the
 * lock, and stops. Does nothing if there is no such lock, or if the holder lives.
 *
 * @throws InterruptedError if interrupted while waiting.
 */
export async function removeAbandonedLock(
  run: string,
  options: { readonly interrupted?: () => boolean; readonly seconds?: number } = {},
): Promise<void> {
  const { interrupted = () => false, seconds = abandonedSeconds } = options;
  const path = join(run, 'lock');
  const first = stateOf(path);
  const owner = parseOwner(first?.text);
  if (first === undefined || owner === undefined || !owner.beats || isKnown(owner)) return;
  const isUnchanged = () => {
    const now = stateOf(path);
    return now?.text === first.text && now.modified === first.modified;
  };
  const until = performance.now() + seconds * 1000;
  while (isUnchanged()) {
    if (interrupted()) throw new InterruptedError('Interrupted while waiting for the lock of the run.');
    if (performance.now() > until) {
      withGuard(path, () => {
        if (isUnchanged()) rmSync(path, { force: true });
      });
      return;
    }
    await sleep(1000);
  }
}

/** Content and modification time. Opened for it: a network file system then asks the server. */
function stateOf(path: string): { readonly text: string; readonly modified: number } | undefined {
  try {
    const file = openSync(path, 'r');
    try {
      return { text: readFileSync(file, 'utf8'), modified: fstatSync(file).mtimeMs };
    } finally {
      closeSync(file);
    }
  } catch (error) {
    // Also where the run is no folder, which is refused later.
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return undefined;
    throw explainWriteError(path, error);
  }
}

/** Replaces the lock of a terminated process; false if another process does so. */
function takeOver(path: string, own: string): boolean {
  return (
    withGuard(path, () => {
      const text = readIfExists(path);
      if (text !== undefined) {
        if (isAlive(parseOwner(text), path)) return false;
        rmSync(path, { force: true });
      }
      return create(path, own);
    }) ?? false
  );
}

/**
 * Calls `body` under a second lock file, which serialises competing processes: otherwise one could remove a lock that
 * another has just acquired. undefined if another process holds it.
 */
function withGuard<T>(path: string, body: () => T): T | undefined {
  const guard = `${path}.takeover`;
  // A stale guard is left by a process killed while holding it, which takes microseconds.
  if (!create(guard, '') && (isRecent(guard) || !removeExisting(guard) || !create(guard, '')))
    return undefined;
  try {
    return body();
  } finally {
    rmSync(guard, { force: true });
  }
}

/** Removes a file; false if it does not exist. */
function removeExisting(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

/** Whether a file was modified in the last ten seconds. */
function isRecent(path: string): boolean {
  return Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) < 10_000;
}

function readIfExists(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw explainWriteError(path, error);
  }
}

/** Creates a file; false if it exists. */
function create(path: string, content: string): boolean {
  let file: number;
  try {
    file = openSync(path, 'wx');
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw explainWriteError(path, error);
  }
  try {
    writeWhole(file, Buffer.from(content));
  } catch (error) {
    rmSync(path, { force: true }); // an empty lock would hold the run for nobody
    throw explainWriteError(path, error);
  } finally {
    closeSync(file);
  }
  return true;
}

function ownOwner(): Owner {
  const started = startTimeOf(process.pid) ?? '';
  return { pid: process.pid, host: hostname(), started, namespace: namespaceOfProcess(), beats: true };
}

function parseOwner(text = ''): Owner | undefined {
  try {
    return ownerSchema.parse(parseJson(text));
  } catch {
    return undefined;
  }
}

function isAlive(owner: Owner | undefined, path: string): boolean {
  // An empty or incomplete file is still being written, unless it is old.
  if (owner === undefined) return isRecent(path);
  if (!isKnown(owner)) return true;
  if (owner.started !== '') return startTimeOf(owner.pid) === owner.started;
  try {
    return process.kill(owner.pid, 0);
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
}

/** Whether the process, living or dead, can be looked up from this one. */
function isKnown({ host, started, namespace }: Owner): boolean {
  if (host !== hostname()) return false;
  const wasRebooted = started !== '' && started.split('/')[0] !== bootOfMachine();
  return wasRebooted || namespace === '' || namespace === namespaceOfProcess();
}

/** Start time of a process on Linux; undefined if it has terminated or the system does not provide it. */
function startTimeOf(pid: number): string | undefined {
  try {
    const [state, ...fields] = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    // A zombie has terminated but has not been reaped by its parent.
    return state === 'Z' || state === 'X' ? undefined : `${bootOfMachine()}/${fields[18]}`;
  } catch {
    return undefined;
  }
}

/** Identifies the start of the machine, on Linux. */
function bootOfMachine(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

function namespaceOfProcess(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function lockedError(run: string, owner: Owner | undefined, path: string): InputError {
  const who = owner === undefined ? 'another process' : `process ${owner.pid} on ${owner.host}`;
  return new InputError(
    'run-locked',
    `Expected a run that no other process uses in ${run} but ${who} does. If it has terminated, remove ${path}.`,
  );
}
