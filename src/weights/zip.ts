import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Where a file of an archive lies in it. */
export interface ZipRecord {
  /** Of the bytes as they are stored. */
  readonly size: number;
  /** Of its own header, behind which the bytes follow. */
  readonly header: number;
  /** Whether the bytes are the file's own, neither compressed nor encrypted. */
  readonly plain: boolean;
}

/**
 * The files in a zip archive by their names, from the directory at its end (of either kind, the second for archives above
 * 4 GB); nothing is unpacked, and nothing is read but the directory. null where none is found: it is no zip, is cut short, or
 * names a file twice.
 *
 * PyTorch stores arrays as they are, in archives of any size, so they are read from their place. The libraries for zip
 * that npm has either load the whole archive or only answer later, where models are opened at once.
 */
export function zipRecords(path: string): ReadonlyMap<string, ZipRecord> | null {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const read = (offset: number, length: number) => readPart(file, offset, length);
    const tailLength = Math.min(size, longestEnd);
    const tail = read(size - tailLength, tailLength);
    const end = tail?.lastIndexOf(endSignature) ?? -1;
    if (tail === null || end < 0 || end + endLength > tail.length) return null;
    const place = directory64(tail, end, read) ?? [tail.readUInt32LE(end + 12), tail.readUInt32LE(end + 16)];
    const [length, offset] = place;
    if (length > longestDirectory || offset + length > size) return null;
    const bytes = read(offset, length);
    return bytes === null ? null : recordsIn(bytes);
  } finally {
    closeSync(file);
  }
}

/**
 * Where the bytes of a record begin in an open archive.
 *
 * @returns null where no header is at its place, or the bytes are not all there.
 */
export function zipPlace(file: number, { header, size }: ZipRecord): number | null {
  const bytes = readPart(file, header, headerLength);
  if (bytes === null || bytes.readUInt32LE() !== headerSignature) return null;
  const begin = header + headerLength + bytes.readUInt16LE(26) + bytes.readUInt16LE(28);
  return begin + size > fstatSync(file).size ? null : begin;
}

const endSignature = Buffer.from('PK\x05\x06', 'latin1');
const endLength = 22;
/** A comment of any length may follow. */
const longestEnd = endLength + 0xffff;

const locatorSignature = 0x07064b50;
const locatorLength = 20;
const end64Signature = 0x06064b50;
const end64Length = 56;

const entrySignature = 0x02014b50;
const entryLength = 46;
const headerSignature = 0x04034b50;
const headerLength = 30;

/** A million arrays fit. */
const longestDirectory = 1 << 27;

/** Length and place of the directory, from the record that large archives have before the ordinary one. */
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
  for (let at = 0; at < directory.length; ) {
    if (at + entryLength > directory.length || directory.readUInt32LE(at) !== entrySignature) return null;
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((place) =>
      directory.readUInt16LE(at + place),
    ) as [number, number, number];
    const extra = at + entryLength + nameLength;
    const next = extra + extraLength + commentLength;
    if (next > directory.length) return null;
    const name = directory.toString('utf8', at + entryLength, extra);
    const [stored, header] = places64(directory.subarray(extra, extra + extraLength), [
      directory.readUInt32LE(at + 24),
      directory.readUInt32LE(at + 20),
      directory.readUInt32LE(at + 42),
    ]);
    const plain = directory.readUInt16LE(at + 10) === 0 && (directory.readUInt16LE(at + 8) & 1) === 0;
    if (records.has(name)) return null;
    records.set(name, { size: stored, header, plain });
    at = next;
  }
  return records;
}

/** Stored size and place of an entry: those numbers that did not fit stand in its extra field, in this order. */
function places64(
  extra: Buffer,
  numbers: readonly [size: number, stored: number, header: number],
): readonly [stored: number, header: number] {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue;
    const field = extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2));
    let place = 0;
    const [, stored, header] = numbers.map((number) => {
      if (number !== 0xffffffff || place + 8 > field.length) return number;
      place += 8;
      return Number(field.readBigUInt64LE(place - 8));
    }) as [number, number, number];
    return [stored, header];
  }
  return [numbers[1], numbers[2]];
}

/** null where the file ends before. */
function readPart(file: number, offset: number, length: number): Buffer | null {
  const { size } = fstatSync(file);
  if (!Number.isSafeInteger(offset) || offset < 0 || offset + length > size) return null;
  const bytes = Buffer.alloc(length);
  return readSync(file, bytes, 0, length, offset) === length ? bytes : null;
}
