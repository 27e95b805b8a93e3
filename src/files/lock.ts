import { closeSync, openSync, readFileSync, rmSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../errors.js';

/** The process that holds a lock. Process ids are reused, so it is identified by its start time and host as well. */
const ownerSchema = z.strictObject({ pid: z.number(), host: z.string(), started: z.string() });

type Owner = z.output<typeof ownerSchema>;

/** Prevents other processes from writing the same run until `release`. */
export interface Lock {
  release(): void;
}

/**
 * Acquires the lock of a run folder. A lock left by a terminated process of this machine is taken over.
 *
 * @throws InputError naming the process that holds it.
 */
export function acquireLock(run: string): Lock {
  const path = join(run, 'lock');
  if (!create(path)) {
    const owner = parseOwner(readIfExists(path));
    if (isAlive(owner, path) || !takeOver(path)) throw lockedError(run, owner, path);
  }
  return { release: () => rmSync(path, { force: true }) };
}

/**
 * Replaces the lock of a terminated process; false if another process does so. A second lock file serialises competing
 * processes: otherwise one could remove a lock that another has just acquired.
 */
function takeOver(path: string): boolean {
  const guard = `${path}.takeover`;
  // A stale guard is left by a process killed while holding it, which takes microseconds.
  if (!create(guard) && (isRecent(guard) || !removeExisting(guard) || !create(guard))) return false;
  try {
    const text = readIfExists(path);
    if (text !== undefined) {
      if (isAlive(parseOwner(text), path)) return false;
      rmSync(path, { force: true });
    }
    return create(path);
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
  const owner: Owner = { pid: process.pid, host: hostname(), started: startTimeOf(process.pid) ?? '' };
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
  // An empty or incomplete file is still being written, unless it is old.
  if (owner === undefined) return isRecent(path);
  if (owner.host !== hostname()) return true;
  if (owner.started !== '') return startTimeOf(owner.pid) === owner.started;
  try {
    return process.kill(owner.pid, 0);
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
}

/** Start time of a process on Linux; undefined if it has terminated or the system does not provide it. */
function startTimeOf(pid: number): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const [state, ...fields] = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    // A zombie has terminated but has not been reaped by its parent.
    return state === 'Z' || state === 'X' ? undefined : `${boot}/${fields[18]}`;
  } catch {
    return undefined;
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
