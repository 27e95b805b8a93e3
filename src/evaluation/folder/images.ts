import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Dataset } from '../../data/dataset.js';
import { labelArray } from '../../data/dataset.js';
import { pixelsDigest } from '../../data/digest.js';
import { InputError } from '../../errors.js';
import { writeFileDurably } from '../../files/durable-file.js';
import { nameList } from '../../user-input/name-list.js';
import { type NamedArray, readSafetensors, safetensorsParts } from '../../weights/safetensors.js';
import type { EvaluationSettings } from './manifest.js';

/** The evaluated images, as bytes. */
const originalsFile = 'originals.safetensors';
/** The adversarial images of an unfinished evaluation, float32, concatenated in the order in which they were found. */
export const foundFile = 'images.f32';
/** The adversarial images of a finished evaluation, for other programs. */
const adversarialFile = 'adversarial.safetensors';

/** Stores the evaluated images: `images` uint8 [N, C, H, W], `ids`, `labels`. */
export function writeOriginals(folder: string, { images, ids, labels, shape }: Dataset): void {
  const arrays: NamedArray[] = [
    { name: 'images', dtype: 'U8', shape: [ids.length, ...shape], bytes: images },
    column('ids', ids),
    column('labels', labels),
  ];
  writeFileDurably(join(folder, originalsFile), safetensorsParts(arrays));
}

/**
 * Reads the evaluated images as a data set.
 *
 * @throws {InputError} if their digest is not the one in the manifest.
 */
export function readOriginals(folder: string, settings: EvaluationSettings): Dataset {
  const path = join(folder, originalsFile);
  const { arrays } = readSafetensors(path);
  const images = arrayOf(arrays, 'images', path);
  const [count = 0, channels = 0, height = 0, width = 0] = images.shape;
  if (images.dtype !== 'U8' || images.shape.length !== 4)
    throw broken(path, 'images U8 [N, C, H, W]', `${images.dtype} [${nameList(images.shape.map(String))}]`);
  const column = (name: string, below: number) =>
    numbersOf(arrayOf(arrays, name, path), { path, count, below });
  const labels = labelArray(count, settings.classes.length);
  labels.set(column('labels', settings.classes.length));
  const dataset: Dataset = {
    name: settings.data,
    classes: settings.classes,
    shape: [channels, height, width],
    images: images.bytes,
    labels,
    ids: Uint32Array.from(column('ids', 2 ** 32)),
    order: 'file',
    warnings: [],
  };
  const digest = pixelsDigest(dataset);
  if (digest !== settings.pixelsDigest)
    throw new InputError(
      'broken-file',
      `Expected the evaluated images in ${path} to be ${settings.pixelsDigest} but they are ${digest}.`,
    );
  return dataset;
}

/** The example of an adversarial image, and the index of the attack that found it. */
export interface FoundImage {
  readonly id: number;
  readonly label: number;
  readonly attack: number;
}

/** Stores the adversarial images as `images` float32 [K, C, H, W], `ids`, `labels` and `attacks`, with metadata. */
export function writeAdversarial(
  folder: string,
  options: {
    readonly found: readonly FoundImage[];
    readonly shape: Dataset['shape'];
    readonly settings: EvaluationSettings;
    /** The names to which `attack` is an index. */
    readonly attacks: readonly string[];
  },
): void {
  const { found, shape, settings, attacks } = options;
  const { data, pixelsDigest: digest, norm, epsilon } = settings;
  const arrays: NamedArray[] = [
    { name: 'images', dtype: 'F32', shape: [found.length, ...shape], bytes: foundBytes(folder, shape) },
    column(
      'ids',
      found.map(({ id }) => id),
    ),
    column(
      'labels',
      found.map(({ label }) => label),
    ),
    column(
      'attacks',
      found.map(({ attack }) => attack),
    ),
  ];
  const metadata = {
    data,
    pixelsDigest: digest,
    norm,
    epsilon: String(epsilon),
    attacks: JSON.stringify(attacks),
  };
  writeFileDurably(join(folder, adversarialFile), safetensorsParts(arrays, metadata));
}

/**
 * The adversarial images of `shape` found so far, of a finished or unfinished evaluation.
 *
 * @throws {InputError} if the file holds none, or others.
 */
export function foundBytes(folder: string, shape: Dataset['shape']): Uint8Array {
  const path = join(folder, foundFile);
  if (existsSync(path)) return readFileSync(path);
  const done = join(folder, adversarialFile);
  const images = arrayOf(readSafetensors(done).arrays, 'images', done);
  if (images.dtype !== 'F32' || images.shape.slice(1).join() !== shape.join())
    throw broken(
      done,
      `images F32 [K, ${shape.join(', ')}]`,
      `${images.dtype} [${nameList(images.shape.map(String))}]`,
    );
  return images.bytes;
}

function column(name: string, values: ArrayLike<number>): NamedArray {
  const bytes = new Uint8Array(BigInt64Array.from(Array.from(values), BigInt).buffer);
  return { name, dtype: 'I64', shape: [values.length], bytes };
}

/** @throws {InputError} for anything but `count` integers from 0 to `below` - 1. */
function numbersOf(
  { name, dtype, shape, bytes }: NamedArray,
  { path, count, below }: { readonly path: string; readonly count: number; readonly below: number },
): number[] {
  if (dtype !== 'I64' || shape.length !== 1 || shape[0] !== count)
    throw broken(path, `${name} I64 [${count}]`, `${dtype} [${nameList(shape.map(String))}]`);
  const numbers = Array.from(new BigInt64Array(bytes.buffer, bytes.byteOffset, count), Number);
  const wrong = numbers.find((number) => number < 0 || number >= below);
  if (wrong !== undefined) throw broken(path, `${name} from 0 to ${below - 1}`, wrong);
  return numbers;
}

function broken(path: string, expected: string, received: string | number): InputError {
  return new InputError('broken-file', `Expected ${expected} in ${path} but received ${received}.`);
}

function arrayOf(arrays: readonly NamedArray[], name: string, path: string): NamedArray {
  const found = arrays.find((array) => array.name === name);
  if (found === undefined)
    throw new InputError('broken-file', `Expected an array '${name}' in ${path} but there is none.`);
  return found;
}
