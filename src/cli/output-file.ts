import { existsSync, readdirSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { InputError } from '../errors.js';
import { temporarySuffix, writeFileDurably, writeNewFileDurably } from '../files/durable-file.js';
import { explainWriteError } from '../files/system-error.js';

/** Output files: checked before a long computation, and written whole, so that no work is lost. */

/**
 * @throws {InputError} if no file can be written: the parent folder is missing or read-only, the path is a folder, its
 *   name is too long, the disk is full.
 */
export function requireFilePath(path: string, name: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true)
    throw InputError.expected('the path of a file', name, path, 'It is a folder.');
  if (statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory() !== true)
    throw InputError.expected('a file in an existing folder', name, path);
  if (!isDevice(path)) requireRoom(`${pathOfFile(path)}${temporarySuffix}`, path);
}

/** Writes a small file and removes it: access rights do not tell a full disk. */
function requireRoom(probe: string, path: string): void {
  if (existsSync(probe)) return; // another process is about to write the file
  try {
    writeFileSync(probe, Buffer.alloc(4096), { flag: 'wx' });
  } catch (error) {
    throw explainWriteError(path, error);
  } finally {
    rmSync(probe, { force: true });
  }
}

/** Writes a text, whole or not at all; a device or a pipe (`/dev/stdout`) is written as it is. */
export function writeOutputFile(path: string, text: string, { isNew }: { readonly isNew: boolean }): void {
  const bytes = Buffer.from(text);
  if (isDevice(path)) writeFileSync(path, bytes);
  else if (isNew) writeNewFileDurably(path, [bytes]);
  else writeFileDurably(pathOfFile(path), [bytes]);
}

function isDevice(path: string): boolean {
  const kind = statSync(path, { throwIfNoEntry: false });
  return kind !== undefined && !kind.isFile();
}

/** Where a symbolic link leads, so that the link remains. */
function pathOfFile(path: string): string {
  return existsSync(path) ? realpathSync(path) : path;
}

/** @throws {InputError} as `requireFilePath`, and if the file exists. */
export function requireNewFile(path: string, name: string): void {
  requireFilePath(path, name);
  if (existsSync(path)) throw InputError.expected('a file that does not exist yet', name, path);
}

/** @throws {InputError} if the folder exists and is not empty, or nothing can be written there. */
export function requireEmptyFolder(path: string, name: string): void {
  if (existsSync(path) && (!statSync(path).isDirectory() || readdirSync(path).length > 0))
    throw InputError.expected('a folder that is empty or does not exist yet', name, path);
  let existing = resolve(path);
  while (!existsSync(existing)) existing = dirname(existing);
  requireRoom(join(existing, `satin-${process.pid}${temporarySuffix}`), path);
}

/** Whether there is a file. Its content is checked when it is decoded. */
export function isImageFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() === true;
}

/** @throws {InputError} if the file does not exist. Its content is checked when it is decoded. */
export function requireImageFile(file: string): void {
  const kind = statSync(file, { throwIfNoEntry: false });
  if (kind?.isFile() !== true)
    throw InputError.expected(
      'the path of an image file',
      'the image',
      file,
      kind === undefined ? 'The file does not exist.' : 'It is not a file.',
    );
}
