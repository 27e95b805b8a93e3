import { closeSync, fsyncSync, openSync, readdirSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { InputError } from '../errors.js';

/** Writes bytes to an open file and returns the number written: `fs.writeSync`, or a failing one in tests. */
export type WriteBytes = (file: number, bytes: Uint8Array) => number;

export const temporarySuffix = '.tmp';

const diskFullCodes = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

const writeBytes: WriteBytes = (file, bytes) => writeSync(file, bytes);

/**
 * Writes a file atomically and durably: to a temporary file that is synced and renamed, then syncs the folder. Either
 * the old or the complete new file exists at any time.
 *
 * @throws InputError 'disk-full' if there is no space left; the temporary file is removed.
 */
export function writeFileDurably(
  path: string,
  parts: readonly Uint8Array[],
  write: WriteBytes = writeBytes,
): void {
  const temporary = `${path}${temporarySuffix}`;
  try {
    const file = openSync(temporary, 'w');
    try {
      for (const part of parts) writeWhole(file, part, write);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
    syncFolder(dirname(path));
  } catch (error) {
    rmSync(temporary, { force: true });
    throw explainWriteError(path, error);
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

/** Converts an error due to a full disk to an InputError; any other error is returned unchanged. */
export function explainWriteError(path: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (typeof code !== 'string' || !diskFullCodes.has(code)) return error;
  return new InputError(
    'disk-full',
    `Expected room for ${path} but the disk is full. Data written before is intact: free some space, then continue with \`resume\`.`,
    { cause: error },
  );
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
