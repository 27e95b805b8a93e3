import { createHash, randomUUID } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { writeWhole } from '../files/durable-file.js';
import { makeFolder } from '../files/make-folder.js';
import { parseJson } from '../files/parse-json.js';
import { explainWriteError } from '../files/system-error.js';
import { allocate, type DecodedImages } from './decode-image.js';
import type { ImageCachePlace } from './image-cache-place.js';

/**
 * Sets of decoded images on disk, a file each, named after a key. A file is
 *
 *     magic (16 bytes) | SHA-256 of all that follows and the key (32) | length of the warnings (uint32, little-endian)
 *     | number of images (uint32) | warnings (JSON) | index of each image (uint32) | pixels
 *
 * It is written under another name and renamed, and read whole with its digest, so that a file that was cut short, damaged or
 * written by two processes at once counts as none. Its modification time is when it was last used.
 */
const magic = Buffer.from('satin images 1\n\0');
const headLength = magic.length + 32 + 8;
const suffix = '.images';
/** Bytes that are written or read at a time: between them the process hears Ctrl-C. */
const pieceBytes = 1 << 26;
/** The most bytes of warnings that are believed. */
const mostWarnings = 1 << 24;

export interface ImageSet {
  readonly key: string;
  /** How many images there may be. */
  readonly most: number;
  /** Of each image. */
  readonly bytes: number;
}

/** Bytes that are left free on a disk. */
const spare = 1e9;

const warningsSchema = z.array(z.string());

const fileOf = ({ folder }: ImageCachePlace, key: string) => join(folder, `${key}${suffix}`);

/** The images that were kept; null if there are none, or they cannot be read as they were written. */
export async function readImages(place: ImageCachePlace, set: ImageSet): Promise<DecodedImages | null> {
  const path = fileOf(place, set.key);
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return null;
  }
  try {
    const found = await readOpened(file, set);
    const now = new Date();
    // Of a disk that is only read this is not known.
    if (found !== null) tried(() => utimesSync(path, now, now));
    return found;
  } catch {
    return null; // an error of the disk, or no JSON
  } finally {
    closeSync(file);
  }
}

async function readOpened(file: number, { key, most, bytes }: ImageSet): Promise<DecodedImages | null> {
  const head = Buffer.alloc(headLength);
  if (readSync(file, head, 0, headLength, 0) !== headLength) return null;
  if (!head.subarray(0, magic.length).equals(magic)) return null;
  const [textLength, count] = [head.readUInt32LE(headLength - 8), head.readUInt32LE(headLength - 4)];
  const length = headLength + textLength + 4 * count + bytes * count;
  if (count > most || textLength > mostWarnings || fstatSync(file).size !== length) return null;
  const text = Buffer.alloc(textLength);
  const kept = new Uint32Array(count);
  const images = allocate(count, bytes);
  const hash = createHash('sha256')
    .update(key)
    .update(head.subarray(headLength - 8));
  let at = headLength;
  for (const part of [text, new Uint8Array(kept.buffer), images])
    for (const piece of piecesOf(part)) {
      if (readSync(file, piece, 0, piece.length, at) !== piece.length) return null;
      hash.update(piece);
      at += piece.length;
      await setImmediate();
    }
  if (!hash.digest().equals(head.subarray(magic.length, magic.length + 32))) return null;
  return { images, kept, warnings: warningsSchema.parse(parseJson(text.toString('utf8'))) };
}

/**
 * Keeps images for the next start, and removes those that were not used for the longest time where there are more bytes than the
 * limit. A set above it, or for which the disk has no room to spare, is not kept.
 *
 * @throws {InputError} if nothing can be written there.
 */
export async function keepImages(
  place: ImageCachePlace,
  { key }: ImageSet,
  { images, kept, warnings }: DecodedImages,
): Promise<void> {
  const text = Buffer.from(JSON.stringify(warnings));
  const length = headLength + text.length + kept.byteLength + images.length;
  if (length > place.limit || text.length > mostWarnings) return;
  makeFolder(place.folder);
  removeLeftovers(place);
  if (roomIn(place.folder) < length + spare) return;
  const path = fileOf(place, key);
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    const file = openSync(temporary, 'wx', 0o600);
    try {
      const numbers = Buffer.alloc(8);
      numbers.writeUInt32LE(text.length, 0);
      numbers.writeUInt32LE(kept.length, 4);
      const hash = createHash('sha256').update(key).update(numbers);
      writeWhole(file, Buffer.alloc(headLength)); // not a file of ours until its head is written
      for (const part of [text, new Uint8Array(kept.buffer, kept.byteOffset, kept.byteLength), images])
        for (const piece of piecesOf(part)) {
          writeWhole(file, piece);
          hash.update(piece);
          await setImmediate();
        }
      writeSync(file, Buffer.concat([magic, hash.digest(), numbers]), 0, headLength, 0);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    tried(() => rmSync(temporary, { force: true }));
    throw explainWriteError(path, error);
  }
  evict(place, path);
}

/** What is kept, the longest unused first. */
export function keptSets({ folder }: ImageCachePlace): {
  readonly path: string;
  readonly bytes: number;
  readonly used: number;
}[] {
  const names = tried(() => readdirSync(folder)) ?? [];
  return names
    .filter((name) => name.endsWith(suffix))
    .flatMap((name) => {
      const path = join(folder, name);
      const found = tried(() => statSync(path, { throwIfNoEntry: false }));
      return found === undefined ? [] : [{ path, bytes: found.size, used: found.mtimeMs }];
    })
    .sort((a, b) => a.used - b.used);
}

/** Another process may do so at the same time, or still read: it has the file open. */
function evict(place: ImageCachePlace, newest: string): void {
  const sets = keptSets(place);
  let total = sets.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { path, bytes } of sets) {
    if (total <= place.limit) return;
    if (path === newest) continue;
    tried(() => rmSync(path, { force: true }));
    total -= bytes;
  }
}

const dayMilliseconds = 86_400_000;

/** Files of processes that were killed while they wrote. */
function removeLeftovers({ folder }: ImageCachePlace): void {
  for (const name of tried(() => readdirSync(folder)) ?? []) {
    if (!name.endsWith('.tmp') || !name.includes(suffix)) continue;
    const path = join(folder, name);
    const written = tried(() => statSync(path).mtimeMs) ?? Date.now();
    if (Date.now() - written > dayMilliseconds) tried(() => rmSync(path, { force: true }));
  }
}

/** Free bytes; infinitely many where the system does not say it. */
function roomIn(folder: string): number {
  const found = tried(() => statfsSync(folder));
  return found === undefined ? Number.POSITIVE_INFINITY : found.bavail * found.bsize;
}

/** What is not worth an error: the images are decoded anew. */
function tried<T>(body: () => T): T | undefined {
  try {
    return body();
  } catch {
    return undefined;
  }
}

function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}
