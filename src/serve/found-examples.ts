import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { InputError } from '../errors.js';
import { foundFile } from '../evaluation/folder/images.js';
import { placesOfIds } from '../evaluation/folder/place-of-id.js';
import type { EvaluationLine } from '../evaluation/folder/verdict-lines.js';
import type { Picture } from '../report/input.js';
import { locateArrays, type UnreadArray } from '../weights/safetensors.js';
import { fileInside } from './inside.js';
import { NotServed } from './not-served.js';
import type { StoredEvaluation } from './stored-evaluation.js';

/** An adversarial image of an evaluation. */
export interface FoundExample {
  readonly id: number;
  readonly label: number;
  readonly attack: string;
  /** Its number in the file of images. */
  readonly image: number;
  /** Place of its original. */
  readonly place: number;
}

/** The adversarial images of an evaluation, by the order of their finding. */
export async function foundExamples(
  root: string,
  stored: StoredEvaluation,
  lines: readonly EvaluationLine[],
): Promise<FoundExample[]> {
  const originals = await originalsOf(root, stored);
  const ids = await readNumbers(originals.path, originals.ids);
  const labels = await readNumbers(originals.path, originals.labels);
  const placeOf = placesOfIds(ids);
  return lines.flatMap((line) => {
    if (line.type !== 'broken') return [];
    const place = placeOf(line.id);
    if (place === undefined) return [];
    return [{ id: line.id, label: labels[place]!, attack: line.attack, image: line.image, place }];
  });
}

/** The sizes of an evaluation's images. */
export async function pictureShape(root: string, stored: StoredEvaluation) {
  return (await originalsOf(root, stored)).shape;
}

/** An original and its adversarial image, read alone from their files. */
export async function readPair(
  root: string,
  stored: StoredEvaluation,
  { place, image }: { readonly place: number; readonly image: number },
): Promise<{ readonly original: Picture; readonly adversarial: Picture }> {
  const { path, images, shape } = await originalsOf(root, stored);
  const [channels, height, width] = shape;
  const size = channels * height * width;
  const bytes = await readPart(path, images.offset + place * size, {
    length: size,
    end: images.offset + images.length,
  });
  const found = await adversarialOf(root, stored);
  const exact = await readPart(found.path, found.offset + image * size * 4, {
    length: size * 4,
    end: found.end,
  });
  const pixels = new Float32Array(size);
  for (let at = 0; at < size; at++) pixels[at] = exact.readFloatLE(at * 4);
  const picture = (data: Float32Array): Picture => ({ channels, height, width, data });
  return { original: picture(Float32Array.from(bytes, (byte) => byte / 255)), adversarial: picture(pixels) };
}

async function originalsOf(root: string, { path: folder, manifest }: StoredEvaluation) {
  const path = await fileInside(root, folder, { name: 'originals.safetensors' });
  const arrays = locateArrays(path);
  const images = arrayOf(arrays, { name: 'images', dtype: 'U8', rank: 4, path });
  const ids = arrayOf(arrays, { name: 'ids', dtype: 'I64', rank: 1, path });
  const labels = arrayOf(arrays, { name: 'labels', dtype: 'I64', rank: 1, path });
  const [count = 0, channels = 0, height = 0, width = 0] = images.shape;
  const isWhole =
    ids.shape[0] === count && labels.shape[0] === count && count === manifest.evaluation.examples;
  if (!isWhole || count > mostExamples) throw broken(path, `${manifest.evaluation.examples} images`, count);
  return { path, images, ids, labels, shape: [channels, height, width] as const };
}

/** The file of the adversarial images: of a finished evaluation, or of one that goes on. */
async function adversarialOf(root: string, { path: folder }: StoredEvaluation) {
  try {
    const path = await fileInside(root, folder, { name: foundFile });
    return { path, offset: 0, end: Infinity };
  } catch (error) {
    if (!(error instanceof NotServed)) throw error;
    const path = await fileInside(root, folder, { name: 'adversarial.safetensors' });
    const images = arrayOf(locateArrays(path), { name: 'images', dtype: 'F32', rank: 4, path });
    return { path, offset: images.offset, end: images.offset + images.length };
  }
}

/** More than any data set that is evaluated. */
const mostExamples = 1_000_000;

function arrayOf(
  arrays: ReadonlyMap<string, UnreadArray>,
  wanted: { readonly name: string; readonly dtype: string; readonly rank: number; readonly path: string },
): UnreadArray {
  const { name, dtype, rank, path } = wanted;
  const found = arrays.get(name);
  if (found === undefined || found.dtype !== dtype || found.shape.length !== rank)
    throw broken(path, `${name} ${dtype} of ${rank} dimensions`, found?.dtype ?? 'none');
  return found;
}

async function readNumbers(path: string, { offset, length }: UnreadArray): Promise<number[]> {
  const bytes = await readPart(path, offset, { length, end: offset + length });
  return Array.from({ length: length / 8 }, (_, at) => Number(bytes.readBigInt64LE(at * 8)));
}

/** @throws {NotServed} if the file ends before. */
async function readPart(
  path: string,
  offset: number,
  { length, end }: { readonly length: number; readonly end: number },
): Promise<Buffer> {
  if (!Number.isSafeInteger(offset) || offset + length > end) throw new NotServed('image of that number');
  const file = await open(path, 'r');
  try {
    if (offset + length > (await file.stat()).size) throw new NotServed('image of that number');
    const bytes = Buffer.alloc(length);
    const { bytesRead } = await file.read(bytes, 0, length, offset);
    if (bytesRead < length) throw new NotServed('image of that number');
    return bytes;
  } finally {
    await file.close();
  }
}

function broken(path: string, expected: string, received: string | number): InputError {
  return new InputError('broken-file', `Expected ${expected} in ${basename(path)} but received ${received}.`);
}
