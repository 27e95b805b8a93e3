import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { InputError } from '../errors.js';

/**
 * The safetensors format (https://github.com/huggingface/safetensors): eight bytes with the length of a JSON
 * header, the header (name -> dtype, shape, place), then the arrays' bytes without a gap, little-endian. It
 * holds numbers only, so a file from a stranger can be read. Which arrays make a model is not decided here.
 */
export interface NamedArray {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** The elements, row by row, little-endian. */
  readonly bytes: Uint8Array;
}

const bytesPerElement = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
} as const;

export type Dtype = keyof typeof bytesPerElement;

/** Bytes of one element. */
export function byteWidth(dtype: Dtype): 1 | 2 | 4 | 8 {
  return bytesPerElement[dtype];
}

export type SafetensorsMetadata = Readonly<Record<string, string>>;

/**
 * The parts of a safetensors file, in order, to be written one after another: the arrays' bytes are not
 * copied. Widest elements come first, then by name, so everything lies aligned and equal input makes equal
 * files.
 *
 * @throws InputError where a name occurs twice or the bytes do not fill the shape.
 */
export function safetensorsParts(
  arrays: readonly NamedArray[],
  metadata: SafetensorsMetadata = {},
): Uint8Array[] {
  const sorted = [...arrays].sort(
    (a, b) => bytesPerElement[b.dtype] - bytesPerElement[a.dtype] || (a.name < b.name ? -1 : 1),
  );
  const entries: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) entries.push([metadataKey, metadata]);
  const names = new Set([metadataKey]);
  let offset = 0;
  for (const { name, dtype, shape, bytes } of sorted) {
    if (names.has(name))
      throw InputError.expected('names that differ', 'the arrays of a safetensors file', name);
    names.add(name);
    const expected = byteLength(dtype, shape);
    if (bytes.length !== expected)
      throw InputError.expected(`${expected} bytes (${dtype} [${shape}])`, `the array ${name}`, bytes.length);
    entries.push([name, { dtype, shape, data_offsets: [offset, offset + expected] }]);
    offset += expected;
  }
  const json = JSON.stringify(Object.fromEntries(entries));
  const length = Math.ceil(Buffer.byteLength(json) / 8) * 8;
  const header = Buffer.alloc(8 + length, ' ');
  header.writeBigUInt64LE(BigInt(length));
  header.write(json, 8);
  return [header, ...sorted.map((array) => array.bytes)];
}

/** A whole safetensors file in memory; see `safetensorsParts`. */
export function encodeSafetensors(
  arrays: readonly NamedArray[],
  metadata: SafetensorsMetadata = {},
): Uint8Array {
  return Buffer.concat(safetensorsParts(arrays, metadata));
}

export interface Safetensors {
  readonly metadata: SafetensorsMetadata;
  /** In the order of the file. The bytes of each are its own and aligned for every element type. */
  readonly arrays: readonly NamedArray[];
  /** Of the whole file: `sha256:` and 64 hexadecimal digits. */
  readonly digest: string;
}

/**
 * Reads a safetensors file, once and in order.
 *
 * @throws InputError that names the file where it is missing, cut short or not safetensors to the letter.
 */
export function readSafetensors(path: string): Safetensors {
  const file = openFile(path);
  try {
    const hash = createHash('sha256');
    const read = (length: number): Uint8Array => {
      const bytes = readExactly(file, length);
      if (bytes === undefined) throw broken(path, 'it is cut short');
      hash.update(bytes);
      return bytes;
    };
    const size = fstatSync(file).size;
    if (size < 8) throw broken(path, `it has ${size} bytes`);
    const headerLength = Number(Buffer.from(read(8)).readBigUInt64LE());
    if (headerLength > longestHeader) throw broken(path, `its header claims ${headerLength} bytes`);
    if (headerLength > size - 8) throw broken(path, 'it is cut short within the header');
    const header = parseHeader(Buffer.from(read(headerLength)).toString('utf8'), path);
    const end = 8 + headerLength + header.dataLength;
    if (size < end) throw broken(path, `it is cut short: ${size} of ${end} bytes are there`);
    if (size > end) throw broken(path, `${size - end} bytes follow the last array`);
    const arrays = header.places.map(({ name, dtype, shape, length }) => ({
      name,
      dtype,
      shape,
      bytes: read(length),
    }));
    return { metadata: header.metadata, arrays, digest: `sha256:${hash.digest('hex')}` };
  } finally {
    closeSync(file);
  }
}

/**
 * What a safetensors file says of itself, without its arrays.
 *
 * @throws InputError as `readSafetensors`, for what stands in the header.
 */
export function readSafetensorsMetadata(path: string): SafetensorsMetadata {
  const file = openFile(path);
  try {
    const start = readExactly(file, 8);
    const length = start === undefined ? Number.NaN : Number(Buffer.from(start).readBigUInt64LE());
    const header =
      length <= Math.min(longestHeader, fstatSync(file).size - 8) ? readExactly(file, length) : undefined;
    if (header === undefined) throw broken(path, 'it is cut short within the header');
    return parseHeader(Buffer.from(header).toString('utf8'), path).metadata;
  } finally {
    closeSync(file);
  }
}

const metadataKey = '__metadata__';

/** The limit of the reference implementation. */
const longestHeader = 100_000_000;

interface Place {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly length: number;
}

interface Header {
  readonly metadata: SafetensorsMetadata;
  readonly places: readonly Place[];
  readonly dataLength: number;
}

function parseHeader(text: string, path: string): Header {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw broken(path, 'its header is no JSON');
  }
  if (!isObject(parsed)) throw broken(path, 'its header is no JSON object');
  const { [metadataKey]: metadata = {}, ...entries } = parsed;
  const places = Object.entries(entries).map(([name, entry]) => parsePlace(name, entry, path));
  places.sort((a, b) => a.begin - b.begin || a.length - b.length);
  let end = 0;
  for (const place of places) {
    // A name that occurs twice leaves a gap here, as JSON.parse keeps the last one only.
    if (place.begin !== end)
      throw broken(path, `the array '${place.name}' does not begin where the one before ends`);
    end += place.length;
  }
  return { metadata: parseMetadata(metadata, path), places, dataLength: end };
}

function parsePlace(name: string, entry: unknown, path: string): Place {
  if (!isObject(entry)) throw broken(path, `the header of the array '${name}' is no object`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (!isDtype(dtype))
    throw InputError.expected(
      Object.keys(bytesPerElement).join(', '),
      `the element type of '${name}' in ${path}`,
      dtype,
    );
  if (!isCounts(shape)) throw broken(path, `the shape of '${name}' is no list of whole numbers`);
  if (!isCounts(offsets)) throw broken(path, `the place of '${name}' is no pair of whole numbers`);
  const [begin, end, ...rest] = offsets;
  if (begin === undefined || end === undefined || rest.length > 0)
    throw broken(path, `the place of '${name}' is no pair of whole numbers`);
  const length = byteLength(dtype, shape);
  if (end - begin !== length)
    throw broken(path, `'${name}' has ${end - begin} bytes where ${dtype} [${shape}] needs ${length}`);
  return { name, dtype, shape, begin, length };
}

function parseMetadata(metadata: unknown, path: string): SafetensorsMetadata {
  if (!isObject(metadata)) throw broken(path, 'its metadata is no object');
  return Object.fromEntries(
    Object.entries(metadata).map(([key, value]) => {
      if (typeof value !== 'string') throw broken(path, `the metadata '${key}' is no text`);
      return [key, value];
    }),
  );
}

function byteLength(dtype: Dtype, shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, bytesPerElement[dtype]);
}

function isDtype(value: unknown): value is Dtype {
  return typeof value === 'string' && Object.hasOwn(bytesPerElement, value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function openFile(path: string): number {
  try {
    const file = openSync(path, 'r');
    if (fstatSync(file).isFile()) return file;
    closeSync(file);
  } catch (error) {
    throw InputError.expected('a safetensors file that can be read', 'the file', path, String(error));
  }
  throw InputError.expected('a safetensors file', 'the file', path);
}

/** The next bytes of a file, or undefined where it ends before. One call reads less than 2 GiB. */
function readExactly(file: number, length: number): Uint8Array | undefined {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const count = readSync(file, bytes, done, Math.min(length - done, 2 ** 30), null);
    if (count === 0) return undefined;
    done += count;
  }
  return bytes;
}

function broken(path: string, what: string): InputError {
  return new InputError('broken-file', `Expected a whole safetensors file in ${path}, but ${what}.`);
}
