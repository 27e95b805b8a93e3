import { crc32 } from './crc32.js';

const endSignature = Buffer.from('PK\x05\x06', 'latin1');
const locatorSignature = 0x07064b50;

/**
 * A zip archive (zip or zip64, without a comment) with one more file at its end, stored as it is.
 *
 * @throws {RangeError} for bytes that do not end as an archive does, or that 32 bits cannot address.
 */
export function appendToZip(
  archive: Uint8Array,
  { name, data }: { readonly name: string; readonly data: Uint8Array },
): Uint8Array {
  const bytes = Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength);
  const end = bytes.length - 22;
  if (end < 0 || !bytes.subarray(end, end + 4).equals(endSignature) || bytes.length > 0xffff0000)
    throw new RangeError('Expected a zip archive of at most 4 GiB without a comment.');
  const locator = end - 20;
  const has64 = locator >= 0 && bytes.readUInt32LE(locator) === locatorSignature;
  const end64 = has64 ? Number(bytes.readBigUInt64LE(locator + 8)) : null;
  const [entries, length, offset] =
    end64 === null
      ? [bytes.readUInt16LE(end + 10), bytes.readUInt32LE(end + 12), bytes.readUInt32LE(end + 16)]
      : ([32, 40, 48].map((at) => Number(bytes.readBigUInt64LE(end64 + at))) as [number, number, number]);

  const { header, entry } = recordOf(name, data, offset);
  const directory = Buffer.concat([bytes.subarray(offset, offset + length), entry]);
  const directoryAt = offset + header.length + data.length;
  // What follows the directory: the end of zip64 if there is one, its locator, and the end.
  const tail = Buffer.from(bytes.subarray(offset + length));
  const at = (position: number) => position - (offset + length);
  if (end64 !== null) {
    for (const [field, value] of [
      [24, entries + 1],
      [32, entries + 1],
      [40, directory.length],
      [48, directoryAt],
    ] as const)
      tail.writeBigUInt64LE(BigInt(value), at(end64) + field);
    tail.writeBigUInt64LE(BigInt(end64 + header.length + data.length + entry.length), at(locator) + 8);
  }
  // Where zip64 has the numbers, these may say so by their largest value.
  const write = (field: number, size: 2 | 4, value: number) => {
    const largest = size === 2 ? 0xffff : 0xffffffff;
    if (tail.readUIntLE(at(end) + field, size) !== largest) tail.writeUIntLE(value, at(end) + field, size);
  };
  write(8, 2, entries + 1);
  write(10, 2, entries + 1);
  write(12, 4, directory.length);
  write(16, 4, directoryAt);
  return Buffer.concat([bytes.subarray(0, offset), header, data, directory, tail]);
}

/** The local header of a stored file, and its entry of the directory. */
function recordOf(name: string, data: Uint8Array, offset: number) {
  const label = Buffer.from(name);
  const facts = Buffer.alloc(26); // from the version to the lengths, as both have them
  facts.writeUInt16LE(20, 0);
  facts.writeUInt32LE(crc32(data), 10);
  facts.writeUInt32LE(data.length, 14);
  facts.writeUInt32LE(data.length, 18);
  facts.writeUInt16LE(label.length, 22);
  const rest = Buffer.alloc(14);
  rest.writeUInt32LE(offset, 10);
  return {
    header: Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), facts, label]),
    entry: Buffer.concat([Buffer.from('PK\x01\x02\x14\0', 'latin1'), facts, rest, label]),
  };
}
