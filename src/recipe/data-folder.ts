import { statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { homePath } from '../data/home-path.js';
import { InputError } from '../errors.js';
import { isSection, overlay, type Section } from './section.js';

/**
 * The recipe of the file `path` with the folder of its data where it is: a relative one is looked for in the working
 * directory, then beside the file.
 *
 * @throws {InputError} naming both places, if it is a folder of one's own images that is in neither.
 */
export function withDataFolder(recipe: Section, path: string): Section {
  const { data } = recipe;
  if (!isSection(data) || typeof data.dir !== 'string') return recipe;
  const { name, dir } = data;
  const own = homePath(dir);
  if (exists(own)) return recipe;
  const beside = isAbsolute(own) ? own : join(dirname(path), own);
  if (exists(beside)) return overlay(recipe, { data: { dir: beside } });
  if (name !== 'folder') return recipe; // its reader knows what it needs, and some commands need none of it
  const places = [...new Set([resolve(own), resolve(beside)])];
  throw InputError.expected(
    'a folder of images',
    'data.dir',
    dir,
    `There is none at ${places.join(' or ')}.`,
  );
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
