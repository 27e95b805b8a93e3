import { access, readFile, stat } from 'node:fs/promises';
import { constants, createGunzip, gunzipSync } from 'node:zlib';
import { InputError } from '../errors.js';
import { systemPath } from '../files/path-text.js';
import { countOf, datasetError, errorCode, firstLine } from './dataset-error.js';
import { BrokenImage } from './raw-image.js';

/** Bytes at the start of a file from which its length can be told. */
const startLength = 512;
/** The most that deflate unpacks from one byte. */
const mostPerByte = 1032;

/**
 * The bytes of `file`, decompressed if they start with gzip's signature, whatever its name. `sizeOf` tells from the first
 * bytes, decompressed, how many there can be; decompression stops there, since 2 MiB can hold gigabytes.
 *
 * @throws {InputError} for a missing, truncated or damaged file, and for more bytes than that.
 */
export async function readMaybeGzipped(
  file: string,
  sizeOf: (start: Uint8Array) => number,
): Promise<Uint8Array> {
  const bytes = await readExisting(file);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    const begin = gunzipSync(bytes.subarray(0, 4096), { finishFlush: constants.Z_SYNC_FLUSH });
    // A file that ends before is either short enough or cut, which unpacking it tells.
    const size = begin.length < startLength ? startLength : sizeOf(begin.subarray(0, startLength));
    const unpacked = await unzip(bytes, Math.min(size, bytes.length * mostPerByte));
    if (unpacked !== null) return unpacked;
    throw datasetError({
      file,
      expected: `at most ${countOf(size, 'byte')} once it is unpacked`,
      received: 'more',
      remedy: 'Delete it and download or copy it again.',
    });
  } catch (error) {
    if (error instanceof InputError) throw error;
    const cut = errorCode(error) === 'Z_BUF_ERROR';
    throw datasetError({
      file,
      expected: 'a whole gzip file',
      received: cut
        ? `one cut short after ${countOf(bytes.length, 'byte')}`
        : `a damaged one (${firstLine(error)})`,
      remedy: 'Delete it and download or copy it again.',
    });
  }
}

/** Decompresses into memory of `most` bytes; null as soon as there are more. */
async function unzip(bytes: Uint8Array, most: number): Promise<Uint8Array | null> {
  const out = new Uint8Array(most);
  let length = 0;
  const unpacking = createGunzip({ chunkSize: 1 << 20 });
  unpacking.end(bytes);
  for await (const chunk of unpacking) {
    const piece = chunk as Uint8Array;
    if (length + piece.length > most) return null;
    out.set(piece, length);
    length += piece.length;
  }
  return out.subarray(0, length);
}

/** The bytes of `file`. @throws {InputError} if it cannot be read */
export async function readExisting(file: string): Promise<Uint8Array> {
  try {
    return await readFile(systemPath(file));
  } catch (error) {
    const missing = errorCode(error) === 'ENOENT';
    throw datasetError({
      file,
      expected: 'a file that can be read',
      received: missing ? 'no file' : firstLine(error),
      remedy: missing ? 'Check the path, or put the file there.' : 'Check the path and its permissions.',
    });
  }
}

/** The largest file of an encoded image that is read: 1 GiB. */
const mostImageBytes = 2 ** 30;

/** The bytes of an image file. @throws {BrokenImage} if it cannot be read, is no regular file, or is too large. */
export async function readImageFile(file: string): Promise<Uint8Array> {
  try {
    const path = systemPath(file);
    const found = await stat(path); // before it is opened: reading a pipe would never end
    if (!found.isFile()) throw new BrokenImage('no regular file');
    if (found.size > mostImageBytes)
      throw new BrokenImage(`${countOf(found.size, 'byte')}, above the limit of 1 GiB`);
    return await readFile(path);
  } catch (error) {
    if (error instanceof BrokenImage) throw error;
    throw new BrokenImage(errorCode(error) === 'ENOENT' ? 'no file' : firstLine(error), { cause: error });
  }
}

export async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
