/** Finds libjpeg-turbo, which decodes photographs faster than sharp does; Satin works without it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Whether the header and the library are in one of these folders, in a version that can decode a part of an image.
 * @param {string[]} prefixes
 * @returns {boolean}
 */
export function hasLibjpeg(prefixes) {
  return prefixes.some((prefix) => {
    const header = join(prefix, 'include', 'jpeglib.h');
    if (!existsSync(header) || !readFileSync(header, 'utf8').includes('jpeg_crop_scanline')) return false;
    const lib = join(prefix, 'lib');
    const machine = readdirSync(lib).filter((name) => name.endsWith('-linux-gnu'));
    return [lib, ...machine.map((name) => join(lib, name))].some((folder) =>
      existsSync(join(folder, 'libjpeg.so')),
    );
  });
}
