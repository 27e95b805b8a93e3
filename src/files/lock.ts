import { closeSync, openSync, readFileSync, rmSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../errors.js';

/** Who writes a run. A process number can be given again, so its start and the machine's belong to it. */
const ownerSchema = z.strictObject({ pid: z.number(), host: z.string(), started: z.string() });

type Owner = z.output<typeof ownerSchema>;

/** Keeps a second process from writing the same run, until `release`. */
export interface Lock {
  release(): void;
}

/**
 * Takes the lock of a run folder. One that a dead process of this machine left is taken over.
 *
 * @throws InputError that names the process which holds it.
 */
export function acquireLock(run: string): Lock {
  const path = join(run, 'lock');
  if (!create(path)) {
    const owner = parseOwner(readIfThere(path));
    if (isAlive(owner, path) || !takeOver(path)) throw held(run, owner, path);
  }
  return { release: () => rmSync(path, { force: true }) };
}

/**
 * Puts this process in the place of a dead one; false where another process does, or did. Of several that try, one at a
 * time may look and replace: a lock that is looked at by two could be removed after it was given to a third.
 */
function takeOver(path: string): boolean {
  const turn = `${path}.takeover`;
  // Left by a process that was killed in the middle, which takes microseconds.
  if (!create(turn) && (isRecent(turn) || !removed(turn) || !create(turn))) return false;
  try {
    const text = readIfThere(path);
    if (text !== undefined) {
      if (isAlive(parseOwner(text), path)) return false;
      rmSync(path, { force: true });
    }
    return create(path);
  } finally {
    rmSync(turn, { force: true });
  }
}

/** Whether this process removed it. */
function removed(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

/** Whether a file was written in the last ten seconds. */
function isRecent(path: string): boolean {
  return Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) < 10_000;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function create(path: string): boolean {
  let file: number;
  try {
    file = openSync(path, 'wx');
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
  const owner: Owner = { pid: process.pid, host: hostname(), started: startOf(process.pid) ?? '' };
  writeSync(file, JSON.stringify(owner));
  closeSync(file);
  return true;
}

function parseOwner(text = ''): Owner | undefined {
  try {
    return ownerSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function isAlive(owner: Owner | undefined, path: string): boolean {
  // Nothing to read: it is being written, unless it has been so for long.
  if (owner === undefined) return isRecent(path);
  if (owner.host !== hostname()) return true;
  if (owner.started !== '') return startOf(owner.pid) === owner.started;
  try {
    return process.kill(owner.pid, 0);
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
}

/** When a process began, as Linux tells it; undefined where it has ended or the system does not tell. */
function startOf(pid: number): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const [state, ...fields] = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    // A zombie has ended; its parent has not asked for it yet.
    return state === 'Z' || state === 'X' ? undefined : `${boot}/${fields[18]}`;
  } catch {
    return undefined;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function held(run: string, owner: Owner | undefined, path: string): InputError {
  const who = owner === undefined ? 'another process' : `process ${owner.pid} on ${owner.host}`;
  return new InputError(
    'run-locked',
    `Expected a run that nobody writes in ${run} but ${who} does. If that has ended, remove ${path}.`,
  );
}
