import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { explainWriteError } from './system-error.js';

/**
 * Creates a folder and its parents, one at a time: for all of them at once, Node says ENOENT of a read-only disk, and never
 * returns where a parent exists in which nothing can be made.
 *
 * @returns the outermost folder that did not exist; undefined if all did.
 * @throws {InputError} 'cannot-write', 'disk-full'
 */
export function makeFolder(path: string): string | undefined {
  const missing: string[] = [];
  for (let folder = resolve(path); !existsSync(folder); folder = dirname(folder)) missing.unshift(folder);
  try {
    for (const folder of missing) makeOne(folder);
    if (missing.length === 0 && !statSync(path).isDirectory()) mkdirSync(path); // says what is there
  } catch (error) {
    throw explainWriteError(path, error);
  }
  return missing[0];
}

/**
 * Creates a folder whose parent exists: a parent that was removed meanwhile is not made again.
 *
 * @throws {InputError} 'cannot-write', 'disk-full'
 */
export function makeSubfolder(path: string): void {
  try {
    makeOne(path);
  } catch (error) {
    throw explainWriteError(path, error);
  }
}

/** Another process may make it at the same time. */
function makeOne(folder: string): void {
  try {
    mkdirSync(folder);
  } catch (error) {
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) throw error;
  }
}
