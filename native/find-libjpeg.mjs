/** Finds libjpeg-turbo, which decodes photographs faster than sharp does; Satin works without it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where compilers look for headers, in their order: what stands in the first hides the others. */
const SEARCHED = ['/usr/local', '/usr'];

/**
 * Whether the header that a compiler finds is of a version that can decode a part of an image, and its library is there.
 * @param {string[]} prefixes
 * @returns {boolean}
 */
export function hasLibjpeg(prefixes = SEARCHED) {
  const prefix = prefixes.find((each) => existsSync(join(each, 'include', 'jpeglib.h')));
  if (prefix === undefined) return false;
  const header = readFileSync(join(prefix, 'include', 'jpeglib.h'), 'utf8');
  const lib = join(prefix, 'lib');
  if (!header.includes('jpeg_crop_scanline') || !existsSync(lib)) return false;
  const machine = readdirSync(lib).filter((name) => name.endsWith('-linux-gnu'));
  return [lib, ...machine.map((name) => join(lib, name))].some((folder) =>
    existsSync(join(folder, 'libjpeg.so')),
  );
}
