import { homedir } from 'node:os';
import { join } from 'node:path';
import { InputError } from '../errors.js';
import { homePath } from './home-path.js';

/** Where decoded images are kept for the next start, and how many bytes of them. */
export interface ImageCachePlace {
  readonly folder: string;
  readonly limit: number;
}

const usualGigabytes = 8;

/**
 * The place that the environment names: `SATIN_IMAGE_CACHE` is a folder, or `off`; `SATIN_IMAGE_CACHE_GB` the limit.
 *
 * @default satin/images in the user's cache folder, 8 GB
 * @returns null if it is turned off.
 * @throws {InputError} for a limit that is no number.
 */
export function imageCachePlace(env: NodeJS.ProcessEnv = process.env): ImageCachePlace | null {
  const { SATIN_IMAGE_CACHE: stated = '', SATIN_IMAGE_CACHE_GB: size = '' } = env;
  if (stated === 'off') return null;
  const gigabytes = size === '' ? usualGigabytes : Number(size);
  if (!(gigabytes > 0) || !Number.isFinite(gigabytes))
    throw InputError.expected('a number of gigabytes above 0', 'SATIN_IMAGE_CACHE_GB', size);
  return {
    folder: stated === '' ? join(userCache(env), 'satin', 'images') : homePath(stated),
    limit: gigabytes * 1e9,
  };
}

/** As the XDG Base Directory Specification has it; a relative path is to be ignored. */
function userCache({ XDG_CACHE_HOME: stated = '' }: NodeJS.ProcessEnv): string {
  if (stated.startsWith('/')) return stated;
  return process.platform === 'darwin' ? join(homedir(), 'Library', 'Caches') : join(homedir(), '.cache');
}
