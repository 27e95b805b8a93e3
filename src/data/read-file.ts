import { access, readFile, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { countOf, datasetError, errorCode, firstLine } from './dataset-error.js';
import { BrokenImage } from './raw-image.js';

const unzip = promisify(gunzip);

/**
 * The bytes of `file`, decompressed if they start with gzip's signature, whatever its name.
 *
 * @throws {InputError} for a missing, truncated or damaged file.
 */
export async function readMaybeGzipped(file: string): Promise<Uint8Array> {
  const bytes = await readExisting(file);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return await unzip(bytes, { chunkSize: 1 << 20 });
  } catch (error) {
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

/** The bytes of `file`. @throws {InputError} if it cannot be read */
export async function readExisting(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
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
    const found = await stat(file); // before it is opened: reading a pipe would never end
    if (!found.isFile()) throw new BrokenImage('no regular file');
    if (found.size > mostImageBytes)
      throw new BrokenImage(`${countOf(found.size, 'byte')}, above the limit of 1 GiB`);
    return await readFile(file);
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
