import { closeSync, fsyncSync, openSync, readdirSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { InputError } from '../errors.js';

/** Writes some bytes to an open file and returns how many it took: `fs.writeSync`, or a failing one in tests. */
export type WriteBytes = (file: number, bytes: Uint8Array) => number;

export const temporarySuffix = '.tmp';

const fullDisk = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

const writeBytes: WriteBytes = (file, bytes) => writeSync(file, bytes);

/**
 * Writes a file so that whatever happens, either the old one or the whole new one stands under its name:
 * to a new name, synced, then renamed, and the folder synced.
 *
 * @throws InputError 'disk-full' where it does not fit; nothing half-written is left.
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

/** JSON that a person can read, with a last line end; see `writeFileDurably`. */
export function writeJsonDurably(path: string, value: unknown, write?: WriteBytes): void {
  writeFileDurably(path, [Buffer.from(`${JSON.stringify(value, null, 2)}\n`)], write);
}

/** What was left by a process that was killed while it wrote. */
export function removeTemporaryFiles(folder: string): void {
  for (const name of readdirSync(folder))
    if (name.endsWith(temporarySuffix)) rmSync(`${folder}/${name}`, { force: true });
}

/** A full disk as an InputError with a sentence, since the user gave a place without room; any other error as it is. */
export function explainWriteError(path: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (typeof code !== 'string' || !fullDisk.has(code)) return error;
  return new InputError(
    'disk-full',
    `Expected room for ${path} but the disk is full. What was written before is intact: make room, then continue with \`resume\`.`,
    { cause: error },
  );
}

/** Writes until everything is written: one call may take a part only, and takes less than 2 GiB. */
export function writeWhole(file: number, bytes: Uint8Array, write: WriteBytes = writeBytes): void {
  for (let done = 0; done < bytes.length; )
    done += write(file, bytes.subarray(done, Math.min(bytes.length, done + 2 ** 30)));
}

/** Makes a rename last through a loss of power. */
function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
