import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { describe, InputError } from '../errors.js';
import { parseJson } from '../files/parse-json.js';
import { nameList } from '../user-input/name-list.js';

/**
 * The safetensors format (https://github.com/huggingface/safetensors): eight bytes with the length of a JSON header,
 * the header (name -> dtype, shape, offsets), then the contiguous array data, little-endian. It holds no code, so
 * untrusted files are safe to read. The meaning of the arrays is up to the caller.
 */
export interface NamedArray {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** The elements, row-major, little-endian. */
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

/** Size of an element in bytes. */
export function byteWidth(dtype: Dtype): 1 | 2 | 4 | 8 {
  return bytesPerElement[dtype];
}

export type SafetensorsMetadata = Readonly<Record<string, string>>;

/**
 * The parts of a safetensors file, in order, to be written without copying the array data. Arrays are sorted by
 * descending element size, then by name, so that all data is aligned and equal input yields equal files.
 *
 * @throws InputError if a name occurs twice or the bytes do not match the shape.
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
      throw InputError.expected('distinct names', 'the arrays of a safetensors file', name);
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

/** A complete safetensors file in memory; see `safetensorsParts`. */
export function encodeSafetensors(
  arrays: readonly NamedArray[],
  metadata: SafetensorsMetadata = {},
): Uint8Array {
  return Buffer.concat(safetensorsParts(arrays, metadata));
}

export interface Safetensors {
  readonly metadata: SafetensorsMetadata;
  /** In file order. Each array has its own buffer, aligned for every element type. */
  readonly arrays: readonly NamedArray[];
  /** Digest of the file: `sha256:` and 64 hexadecimal digits. */
  readonly digest: string;
}

/**
 * Reads a safetensors file sequentially.
 *
 * @throws InputError naming the file if it is missing, truncated or not valid safetensors.
 */
export function readSafetensors(path: string): Safetensors {
  const file = openFile(path);
  try {
    const hash = createHash('sha256');
    const read = (length: number): Uint8Array => {
      const bytes = readExactly(file, length);
      if (bytes === undefined) throw broken(path, 'it is truncated');
      hash.update(bytes);
      return bytes;
    };
    const size = fstatSync(file).size;
    if (size < 8) throw broken(path, `it has ${size} bytes`);
    const headerLength = Number(Buffer.from(read(8)).readBigUInt64LE());
    if (headerLength > maxHeaderLength) throw broken(path, `its header claims ${headerLength} bytes`);
    if (headerLength > size - 8) throw broken(path, 'its header is truncated');
    const header = parseHeader(Buffer.from(read(headerLength)).toString('utf8'), path);
    const end = 8 + headerLength + header.dataLength;
    if (size < end) throw broken(path, `it is truncated: ${size} of ${end} bytes`);
    if (size > end) throw broken(path, `${size - end} bytes follow the last array`);
    const arrays = header.locations.map(({ name, dtype, shape, length }) => ({
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
 * Reads only the metadata of a safetensors file.
 *
 * @throws InputError as `readSafetensors`, for errors in the header.
 */
export function readSafetensorsMetadata(path: string): SafetensorsMetadata {
  return readHeader(path).header.metadata;
}

/** An array of a safetensors file that has not been read: its bytes begin at `offset` of the file. */
export interface UnreadArray {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly length: number;
}

/**
 * Where the arrays of a safetensors file lie, to read parts of a large one.
 *
 * @throws InputError as `readSafetensors`, for errors in the header, or if the file has another size than it says.
 */
export function locateArrays(path: string): ReadonlyMap<string, UnreadArray> {
  const { header, begin, size } = readHeader(path);
  if (size !== begin + header.dataLength)
    throw broken(path, `it has ${size} bytes instead of ${begin + header.dataLength}`);
  return new Map(
    header.locations.map(({ name, dtype, shape, length, begin: at }) => [
      name,
      { dtype, shape, offset: begin + at, length },
    ]),
  );
}

function readHeader(path: string): {
  readonly header: Header;
  readonly begin: number;
  readonly size: number;
} {
  const file = openFile(path);
  try {
    const { size } = fstatSync(file);
    const start = readExactly(file, 8);
    const length = start === undefined ? Number.NaN : Number(Buffer.from(start).readBigUInt64LE());
    const header = length <= Math.min(maxHeaderLength, size - 8) ? readExactly(file, length) : undefined;
    if (header === undefined) throw broken(path, 'its header is truncated');
    return { header: parseHeader(Buffer.from(header).toString('utf8'), path), begin: 8 + length, size };
  } finally {
    closeSync(file);
  }
}

const metadataKey = '__metadata__';

/** The limit of the reference implementation. */
const maxHeaderLength = 100_000_000;

interface ArrayLocation {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly length: number;
}

interface Header {
  readonly metadata: SafetensorsMetadata;
  readonly locations: readonly ArrayLocation[];
  readonly dataLength: number;
}

function parseHeader(text: string, path: string): Header {
  let parsed: unknown;
  try {
    parsed = parseJson(text);
  } catch (error) {
    throw broken(path, `its header is not JSON: ${describe(error)}`);
  }
  if (!isObject(parsed)) throw broken(path, 'its header is not a JSON object');
  const { [metadataKey]: metadata = {}, ...entries } = parsed;
  const locations = Object.entries(entries).map(([name, entry]) => parseLocation(name, entry, path));
  locations.sort((a, b) => a.begin - b.begin || a.length - b.length);
  let end = 0;
  for (const location of locations) {
    // A duplicate name leaves a gap here, since JSON.parse keeps only the last entry.
    if (location.begin !== end)
      throw broken(
        path,
        `the array '${nameList([location.name])}' does not start at the end of the previous one`,
      );
    end += location.length;
  }
  return { metadata: parseMetadata(metadata, path), locations, dataLength: end };
}

function parseLocation(name: string, entry: unknown, path: string): ArrayLocation {
  const shown = nameList([name]);
  if (!isObject(entry)) throw broken(path, `the header of the array '${shown}' is not an object`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (!isDtype(dtype))
    throw InputError.expected(
      Object.keys(bytesPerElement).join(', '),
      `the element type of '${shown}' in ${path}`,
      dtype,
    );
  if (!isCounts(shape)) throw broken(path, `the shape of '${shown}' is not a list of whole numbers`);
  if (!isCounts(offsets)) throw broken(path, `the offsets of '${shown}' are not a pair of whole numbers`);
  const [begin, end, ...rest] = offsets;
  if (begin === undefined || end === undefined || rest.length > 0)
    throw broken(path, `the offsets of '${shown}' are not a pair of whole numbers`);
  const length = byteLength(dtype, shape);
  if (end - begin !== length)
    throw broken(
      path,
      `'${shown}' has ${end - begin} bytes where ${dtype} [${nameList(shape.map(String))}] needs ${length}`,
    );
  return { name, dtype, shape, begin, length };
}

function parseMetadata(metadata: unknown, path: string): SafetensorsMetadata {
  if (!isObject(metadata)) throw broken(path, 'its metadata is not an object');
  return Object.fromEntries(
    Object.entries(metadata).map(([key, value]) => {
      if (typeof value !== 'string') throw broken(path, `the metadata '${nameList([key])}' is not a string`);
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
    throw InputError.expected('a readable safetensors file', 'the file', path, String(error));
  }
  throw InputError.expected('a safetensors file', 'the file', path);
}

/** Reads exactly `length` bytes; undefined at the end of the file. A single call reads less than 2 GiB. */
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
  return new InputError('broken-file', `Expected an undamaged safetensors file in ${path} but ${what}.`);
}
