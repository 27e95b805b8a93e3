import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { SatinError } from '../errors.js';
import { systemPath } from '../files/path-text.js';
import { version } from '../provenance/version.js';
import { type DecodeAll, type DecodedImages, decodeImages } from './decode-image.js';
import { keepImages, readImages } from './image-cache.js';
import { type ImageCachePlace, imageCachePlace } from './image-cache-place.js';
import { decoderVersions } from './open-image.js';

export interface CachedDecoding {
  /** null: nothing is kept. @default as the environment says */
  readonly place?: ImageCachePlace | null;
  /** Images that were decoded faster are not kept. @default 2 */
  readonly worthSeconds?: number;
  /** Files that changed later than so long ago may change again within a tick of the file system's clock. @default 2 */
  readonly settledSeconds?: number;
}

/** Changed with whatever else changes pixels: what reads bitmaps, and what is asked of the decoders. */
const form = 1;

/**
 * As `decodeImages`, but images that took long are kept on disk for the next start. What is kept is used while nothing has changed
 * that determines it: files (path, size, times, inode), form, rule for broken ones, Satin, decoders and processor.
 *
 * @throws {InputError} as `decodeImages`; a disk on which nothing can be kept is one of the warnings.
 */
export async function decodeCached(options: DecodeAll, cached: CachedDecoding = {}): Promise<DecodedImages> {
  const { place = imageCachePlace(), worthSeconds = 2, settledSeconds = 2 } = cached;
  if (place === null) return decodeImages(options);
  const before = await stateOf(options);
  const { files, onProgress } = options;
  const [height, width] = options.form.size;
  const bytes = (options.form.channels ?? 3) * height * width;
  const set = { key: before.key, most: files.length, bytes };
  const kept = await readImages(place, set);
  if (kept !== null) {
    onProgress?.(files.length, files.length);
    return kept;
  }
  const began = Date.now();
  const decoded = await decodeImages(options);
  if (Date.now() - began < 1000 * worthSeconds) return decoded;
  if (before.changed > began - 1000 * settledSeconds) return decoded;
  // One that was left out may only have been out of reach.
  if (decoded.kept.length < files.length) return decoded;
  // A file that was replaced while others were decoded.
  if ((await stateOf(options)).key !== before.key) return decoded;
  try {
    await keepImages(place, set, decoded);
    return decoded;
  } catch (error) {
    if (!(error instanceof SatinError)) throw error;
    const warning = `The decoded images of ${place.folder} are not kept for the next start: ${error.message}`;
    return { ...decoded, warnings: [...decoded.warnings, warning] };
  }
}

/** Names the images by all that determines them, and tells when one of the files was last changed. */
async function stateOf(options: DecodeAll): Promise<{ readonly key: string; readonly changed: number }> {
  const { files, form: wanted, broken = 'refuse' } = options;
  const { size, resize = 'crop', channels = 3 } = wanted;
  const processor = `${process.platform} ${process.arch} ${cpus()[0]?.model}`;
  const facts = [form, version, await decoderVersions(), processor, size, resize, channels, broken];
  const hash = createHash('sha256').update(JSON.stringify(facts));
  let changed = 0;
  for (const [index, file] of files.entries()) {
    if (index % 1000 === 999) await setImmediate(); // so that Ctrl-C is heard
    const { numbers, time } = stateOfFile(file);
    // Both forms of a path, since warnings name it as it was given.
    hash.update(JSON.stringify([file, resolve(file), numbers]));
    changed = Math.max(changed, time);
  }
  return { key: hash.digest('hex'), changed };
}

/** `time` in milliseconds since 1970. A file that cannot be looked at has none: decoding tells it. */
function stateOfFile(file: string): { readonly numbers: string; readonly time: number } {
  try {
    const { size, ino, mtimeNs, ctimeNs } = statSync(systemPath(file), { bigint: true });
    const latest = mtimeNs > ctimeNs ? mtimeNs : ctimeNs;
    return { numbers: [size, ino, mtimeNs, ctimeNs].join(' '), time: Number(latest / 1_000_000n) };
  } catch {
    return { numbers: 'none', time: 0 };
  }
}
