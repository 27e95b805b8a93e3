import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { InputError } from '../errors.js';

/** Checks of a file that a command writes at its end: to be made first, so that no work is lost. */

/** @throws {InputError} where there can be no file of this path: its folder is missing, or it is a folder itself. */
export function requireFilePath(path: string, name: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true)
    throw InputError.expected('the path of a file', name, path, 'That is a folder.');
  if (statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory() !== true)
    throw InputError.expected('a file in a folder that exists', name, path);
}

/** @throws {InputError} as `requireFilePath`, and where the file exists. */
export function requireNewFile(path: string, name: string): void {
  requireFilePath(path, name);
  if (existsSync(path)) throw InputError.expected('a file that does not exist yet', name, path);
}

/** @throws {InputError} where a folder that shall be written to holds something already. */
export function requireEmptyFolder(path: string, name: string): void {
  if (existsSync(path) && (!statSync(path).isDirectory() || readdirSync(path).length > 0))
    throw InputError.expected('a folder that is empty or does not exist yet', name, path);
}

/** @throws {InputError} where there is no such file. Whether it is an image is seen when it is decoded. */
export function requireImageFile(file: string): void {
  const kind = statSync(file, { throwIfNoEntry: false });
  if (kind?.isFile() !== true)
    throw InputError.expected(
      'the path of an image file',
      'the image',
      file,
      kind === undefined ? 'There is no such file.' : 'That is no file.',
    );
}
