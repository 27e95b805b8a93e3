import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { InputError } from '../errors.js';

/** Checks of output paths, made before a long computation so that no work is lost. */

/** @throws {InputError} if no file can be written: the parent folder is missing, or the path is a folder. */
export function requireFilePath(path: string, name: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true)
    throw InputError.expected('the path of a file', name, path, 'It is a folder.');
  if (statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory() !== true)
    throw InputError.expected('a file in an existing folder', name, path);
}

/** @throws {InputError} as `requireFilePath`, and if the file exists. */
export function requireNewFile(path: string, name: string): void {
  requireFilePath(path, name);
  if (existsSync(path)) throw InputError.expected('a file that does not exist yet', name, path);
}

/** @throws {InputError} if the folder exists and is not empty. */
export function requireEmptyFolder(path: string, name: string): void {
  if (existsSync(path) && (!statSync(path).isDirectory() || readdirSync(path).length > 0))
    throw InputError.expected('a folder that is empty or does not exist yet', name, path);
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
