import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';

/** Location of a file within an archive. */
export interface ZipRecord {
  /** Size of the stored data. */
  readonly size: number;
  /** Size that the archive states for the data once it is decompressed. */
  readonly unpacked: number;
  /** Offset of its local header, which precedes the data. */
  readonly header: number;
  /** Whether the data is neither compressed nor encrypted. */
  readonly isStored: boolean;
  /** CRC-32 of the data before compression. */
  readonly checksum: number;
}

/**
 * The files of a zip archive by name, from the central directory (zip or zip64); no file data is read. null if there is
 * no valid directory: it is not a zip, is truncated, or has duplicate names.
 *
 * PyTorch stores arrays uncompressed in archives of any size, so they can be read in place. The zip libraries on npm
 * either load the whole archive or are asynchronous, whereas models are opened synchronously.
 */
export function zipRecords(path: string): ReadonlyMap<string, ZipRecord> | null {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const read = (offset: number, length: number) => readPart(file, offset, length);
    const tailLength = Math.min(size, maxEndLength);
    const tail = read(size - tailLength, tailLength);
    const end = tail?.lastIndexOf(endSignature) ?? -1;
    if (tail === null || end < 0 || end + endLength > tail.length) return null;
    const directory = directory64(tail, end, read) ?? [
      tail.readUInt32LE(end + 12),
      tail.readUInt32LE(end + 16),
    ];
    const [length, offset] = directory;
    if (length > maxDirectoryLength || offset + length > size) return null;
    const bytes = read(offset, length);
    return bytes === null ? null : recordsIn(bytes);
  } finally {
    closeSync(file);
  }
}

/**
 * Offset of the data of a record in an open archive.
 *
 * @returns null if there is no valid header, or the data is truncated.
 */
export function zipDataOffset(file: number, { header, size }: ZipRecord): number | null {
  const bytes = readPart(file, header, headerLength);
  if (bytes === null || bytes.readUInt32LE() !== headerSignature) return null;
  const begin = header + headerLength + bytes.readUInt16LE(26) + bytes.readUInt16LE(28);
  return begin + size > fstatSync(file).size ? null : begin;
}

/**
 * The data of a record, decompressed; its stated size has to be bounded by the caller.
 *
 * @returns null if it is truncated or damaged, or its size is another.
 */
export function zipContent(path: string, record: ZipRecord): Buffer | null {
  const file = openSync(path, 'r');
  try {
    const offset = zipDataOffset(file, record);
    const stored = offset === null ? null : readPart(file, offset, record.size);
    if (stored === null) return null;
    const bytes = record.isStored
      ? stored
      : inflateRawSync(stored, { maxOutputLength: Math.max(1, record.unpacked) });
    return bytes.length === record.unpacked ? bytes : null;
  } catch {
    return null; // zlib's error of damaged data, or of more than was stated
  } finally {
    closeSync(file);
  }
}

const endSignature = Buffer.from('PK\x05\x06', 'latin1');
const endLength = 22;
/** The end record may be followed by a comment. */
const maxEndLength = endLength + 0xffff;

const locatorSignature = 0x07064b50;
const locatorLength = 20;
const end64Signature = 0x06064b50;
const end64Length = 56;

const entrySignature = 0x02014b50;
const entryLength = 46;
const headerSignature = 0x04034b50;
const headerLength = 30;

/** Enough for a million arrays. */
const maxDirectoryLength = 1 << 27;

/** Size and offset of the directory from the zip64 end record, if there is one. */
function directory64(
  tail: Buffer,
  end: number,
  read: (offset: number, length: number) => Buffer | null,
): readonly [length: number, offset: number] | null {
  const locator = end - locatorLength;
  if (locator < 0 || tail.readUInt32LE(locator) !== locatorSignature) return null;
  const record = read(Number(tail.readBigUInt64LE(locator + 8)), end64Length);
  if (record === null || record.readUInt32LE() !== end64Signature) return null;
  return [Number(record.readBigUInt64LE(40)), Number(record.readBigUInt64LE(48))];
}

function recordsIn(directory: Buffer): ReadonlyMap<string, ZipRecord> | null {
  const records = new Map<string, ZipRecord>();
  for (let position = 0; position < directory.length; ) {
    if (position + entryLength > directory.length || directory.readUInt32LE(position) !== entrySignature)
      return null;
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) =>
      directory.readUInt16LE(position + offset),
    ) as [number, number, number];
    const extra = position + entryLength + nameLength;
    const next = extra + extraLength + commentLength;
    if (next > directory.length) return null;
    const name = directory.toString('utf8', position + entryLength, extra);
    const [unpacked, stored, header] = sizeAndOffset64(directory.subarray(extra, extra + extraLength), [
      directory.readUInt32LE(position + 24),
      directory.readUInt32LE(position + 20),
      directory.readUInt32LE(position + 42),
    ]);
    const isStored =
      directory.readUInt16LE(position + 10) === 0 && (directory.readUInt16LE(position + 8) & 1) === 0;
    if (records.has(name)) return null;
    records.set(name, {
      size: stored,
      unpacked,
      header,
      isStored,
      checksum: directory.readUInt32LE(position + 16),
    });
    position = next;
  }
  return records;
}

/**
 * Both sizes and the header offset of an entry; values that do not fit in 32 bits are in its extra field, in this order.
 */
function sizeAndOffset64(
  extra: Buffer,
  numbers: readonly [size: number, stored: number, header: number],
): readonly [size: number, stored: number, header: number] {
  for (let position = 0; position + 4 <= extra.length; position += 4 + extra.readUInt16LE(position + 2)) {
    if (extra.readUInt16LE(position) !== 1) continue;
    const field = extra.subarray(position + 4, position + 4 + extra.readUInt16LE(position + 2));
    let offset = 0;
    return numbers.map((number) => {
      if (number !== 0xffffffff || offset + 8 > field.length) return number;
      offset += 8;
      return Number(field.readBigUInt64LE(offset - 8));
    }) as [number, number, number];
  }
  return numbers;
}

/** null if the file is too short. */
function readPart(file: number, offset: number, length: number): Buffer | null {
  const { size } = fstatSync(file);
  if (!Number.isSafeInteger(offset) || offset < 0 || offset + length > size) return null;
  const bytes = Buffer.alloc(length);
  return readSync(file, bytes, 0, length, offset) === length ? bytes : null;
}
