import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { explainWriteError } from './system-error.js';

/** Writes bytes to an open file and returns the number written: `fs.writeSync`, or a failing one in tests. */
export type WriteBytes = (file: number, bytes: Uint8Array) => number;

export const temporarySuffix = '.tmp';

const writeBytes: WriteBytes = (file, bytes) => writeSync(file, bytes);

/**
 * Writes a file atomically and durably: to a temporary file that is synced and renamed, then syncs the folder. Either
 * the old or the complete new file exists at any time.
 *
 * @throws InputError 'disk-full' if there is no space left, 'cannot-write'; the temporary file is removed.
 */
export function writeFileDurably(
  path: string,
  parts: readonly Uint8Array[],
  write: WriteBytes = writeBytes,
): void {
  replace(path, parts, { write, commit: renameSync });
}

/**
 * Writes a file that does not exist yet, whole or not at all; see `writeFileDurably`.
 *
 * @throws InputError also if the file exists meanwhile.
 */
export function writeNewFileDurably(path: string, parts: readonly Uint8Array[]): void {
  replace(path, parts, { write: writeBytes, commit: moveToNew });
}

interface Replacing {
  readonly write: WriteBytes;
  /** Gives the complete temporary file its name. */
  readonly commit: (temporary: string, path: string) => void;
}

function replace(path: string, parts: readonly Uint8Array[], { write, commit }: Replacing): void {
  const temporary = `${path}${temporarySuffix}`;
  try {
    const file = openSync(temporary, 'w');
    try {
      for (const part of parts) writeWhole(file, part, write);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    commit(temporary, path);
    syncFolder(dirname(path));
  } catch (error) {
    rmSync(temporary, { force: true });
    throw explainWriteError(path, error);
  }
}

/** Unlike a rename, a link never replaces a file; file systems without links are given a check instead. */
function moveToNew(temporary: string, path: string): void {
  try {
    linkSync(temporary, path);
    rmSync(temporary);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST' || existsSync(path)) throw error;
    renameSync(temporary, path);
  }
}

/** Writes indented JSON with a trailing newline; see `writeFileDurably`. */
export function writeJsonDurably(path: string, value: unknown, write?: WriteBytes): void {
  writeFileDurably(path, [Buffer.from(`${JSON.stringify(value, null, 2)}\n`)], write);
}

/** Removes temporary files left by a process that was killed while writing. */
export function removeTemporaryFiles(folder: string): void {
  for (const name of readdirSync(folder))
    if (name.endsWith(temporarySuffix)) rmSync(`${folder}/${name}`, { force: true });
}

/** Writes all bytes: a single call may write only a part, and less than 2 GiB. */
export function writeWhole(file: number, bytes: Uint8Array, write: WriteBytes = writeBytes): void {
  for (let done = 0; done < bytes.length; )
    done += write(file, bytes.subarray(done, Math.min(bytes.length, done + 2 ** 30)));
}

/** Makes a rename durable. */
function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
