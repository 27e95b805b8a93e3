import { closeSync, fstatSync, openSync, statSync } from 'node:fs';
import { InputError } from '../../errors.js';
import { readPart } from '../read-part.js';
import { byteWidth, type Dtype } from '../safetensors.js';
import { maskedCrc32c } from './crc32c.js';
import { readTable } from './table.js';
import { bytesIn, fieldsOf, Malformed, numberIn } from './wire.js';

/** A tensor of a checkpoint, from `BundleEntryProto` (tensorflow/core/protobuf/tensor_bundle.proto). */
export interface BundleEntry {
  /** null for types that no weights have: strings, complex numbers and others. */
  readonly dtype: Dtype | null;
  readonly shape: readonly number[];
  readonly shard: number;
  /** In the file of the shard. */
  readonly offset: number;
  readonly length: number;
  readonly checksum: number;
  /** A piece of a variable that was saved in several. */
  readonly isPartitioned: boolean;
}

/**
 * A checkpoint of TensorFlow in its format since version 0.12: PREFIX.index, a table of names, and the arrays in
 * PREFIX.data-00000-of-0000N. Arrays are read one at a time; their checksums are verified.
 */
export class TensorBundle {
  readonly entries: ReadonlyMap<string, BundleEntry>;
  readonly #shards: number;

  private constructor(
    readonly prefix: string,
    content: { readonly entries: TensorBundle['entries']; readonly shards: number },
  ) {
    this.entries = content.entries;
    this.#shards = content.shards;
  }

  /** Reads the index. @throws {InputError} if it is missing or not one of TensorFlow. */
  static open(prefix: string): TensorBundle {
    const path = indexOf(prefix);
    const bytes = readFrom(path, { offset: 0, length: null });
    return new TensorBundle(
      prefix,
      wellFormed(path, () => contentOf(bytes)),
    );
  }

  /** Index and data files. */
  get files(): readonly string[] {
    return [indexOf(this.prefix), ...Array.from({ length: this.#shards }, (_, shard) => this.#fileOf(shard))];
  }

  /** The elements of an array, row-major. @throws {InputError} if the file lacks them or they have changed. */
  read({ shard, offset, length, checksum }: BundleEntry): Buffer {
    const path = this.#fileOf(shard);
    const bytes = readFrom(path, { offset, length });
    if (maskedCrc32c(bytes) !== checksum) throw broken(path, 'a checksum is wrong');
    return bytes;
  }

  #fileOf(shard: number): string {
    const digits = (number: number) => String(number).padStart(5, '0');
    return `${this.prefix}.data-${digits(shard)}-of-${digits(this.#shards)}`;
  }
}

export const indexOf = (prefix: string): string => `${prefix}.index`;

/** `DataType` of tensorflow/core/framework/types.proto. */
const dtypes: Readonly<Record<number, Dtype>> = {
  1: 'F32',
  2: 'F64',
  3: 'I32',
  4: 'U8',
  5: 'I16',
  6: 'I8',
  9: 'I64',
  10: 'BOOL',
  14: 'BF16',
  19: 'F16',
};

/** Larger indices are refused; those of the largest networks have a few hundred kilobytes. */
const maxIndexLength = 1 << 26;
const maxShards = 99_999;

function contentOf(bytes: Buffer): { readonly entries: TensorBundle['entries']; readonly shards: number } {
  const table = new Map(readTable(bytes));
  const header = table.get('');
  if (header === undefined) throw new Malformed('it has no header');
  table.delete('');
  const shards = shardsOf(header);
  const entries = new Map<string, BundleEntry>();
  for (const [name, value] of table) {
    const entry = entryOf(value);
    if (entry.shard >= shards) throw new Malformed('it names a data file that is not there');
    entries.set(name, entry);
  }
  return { entries, shards };
}

/** `BundleHeaderProto`: the number of data files, and the byte order. */
function shardsOf(header: Buffer): number {
  let [shards, endianness] = [0, 0];
  for (const [field, value] of fieldsOf(header))
    if (field === 1) shards = numberIn(value);
    else if (field === 2) endianness = numberIn(value);
  if (endianness !== 0) throw new Malformed('it was written on a big-endian machine');
  if (shards < 1 || shards > maxShards) throw new Malformed(`it has ${shards} data files`);
  return shards;
}

function entryOf(message: Buffer): BundleEntry {
  let [type, shard, offset, length, checksum] = [0, 0, 0, 0, 0];
  let shape: readonly number[] = [];
  let isPartitioned = false;
  for (const [field, value] of fieldsOf(message))
    if (field === 1) type = numberIn(value);
    else if (field === 2) shape = shapeOf(bytesIn(value));
    else if (field === 3) shard = numberIn(value);
    else if (field === 4) offset = numberIn(value);
    else if (field === 5) length = numberIn(value);
    else if (field === 6) checksum = numberIn(value);
    else if (field === 7) isPartitioned = true;
  const dtype = dtypes[type] ?? null;
  // The entry of a partitioned variable has no data of its own.
  const expected = dtype === null || isPartitioned ? length : shape.reduce((a, b) => a * b, byteWidth(dtype));
  if (length !== expected) throw new Malformed('the length of an array does not match its shape');
  return { dtype, shape, shard, offset, length, checksum, isPartitioned };
}

/** `TensorShapeProto`: a message for each dimension, with its size. */
function shapeOf(message: Buffer): number[] {
  const shape: number[] = [];
  for (const [field, value] of fieldsOf(message)) {
    if (field !== 2) throw new Malformed('it has an array of unknown shape');
    let size = 0;
    for (const [inner, number] of fieldsOf(bytesIn(value))) if (inner === 1) size = numberIn(number);
    shape.push(size);
  }
  return shape;
}

function wellFormed<T>(path: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (error instanceof Malformed) throw broken(path, error.message);
    throw error;
  }
}

function broken(path: string, what: string): InputError {
  return new InputError(
    'broken-file',
    `Expected an undamaged checkpoint of TensorFlow in ${path} but ${what}.`,
  );
}

/** Part of a file, or all of it for a length of null. */
function readFrom(path: string, part: { readonly offset: number; readonly length: number | null }): Buffer {
  const file = openFile(path);
  try {
    const { size } = fstatSync(file);
    const { offset } = part;
    const length = part.length ?? size;
    if (part.length === null && length > maxIndexLength) throw broken(path, `it has ${length} bytes`);
    if (offset + length > size) throw broken(path, 'it is truncated');
    const bytes = readPart(file, offset, length);
    if (bytes === null) throw broken(path, 'it is truncated');
    return bytes;
  } finally {
    closeSync(file);
  }
}

function openFile(path: string): number {
  const remedy = 'A checkpoint of TensorFlow is one .index and all its .data files in one folder.';
  try {
    if (statSync(path).isFile()) return openSync(path, 'r');
  } catch (error) {
    const why = error instanceof Error ? error.message : error;
    throw InputError.expected('a readable file', path, why, remedy);
  }
  throw InputError.expected('a file', path, 'something else', remedy);
}
