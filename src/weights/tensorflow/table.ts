import { maskedCrc32c } from './crc32c.js';
import { ByteCursor, Malformed } from './wire.js';

/**
 * Reads a LevelDB table (https://github.com/google/leveldb/blob/main/doc/table_format.md), the format of a TensorFlow
 * checkpoint's index: sorted keys with values, in blocks with checksums.
 *
 *     data blocks, metaindex block, index block, footer
 *     block   entries, offsets of restarts (uint32 each), their number (uint32); kind of compression (1 byte), checksum
 *     entry   shared length, own length, value length (varints); the key from its shared prefix on, the value
 *     footer  the places of metaindex and index (two varints each), zeros to 40 bytes, the magic number
 *
 * The libraries for LevelDB open databases, not single tables, and compile C++ when they are installed.
 *
 * Every byte of the file has to be accounted for: blocks follow each other without gaps, and each checksum is verified.
 *
 * @throws {Malformed} for anything else; compressed blocks, which TensorFlow does not write, included.
 */
export function readTable(file: Buffer): ReadonlyMap<string, Buffer> {
  if (file.length < footerLength) throw new Malformed(`it has ${file.length} bytes`);
  const footer = new ByteCursor(file.subarray(file.length - footerLength));
  const [metaindex, index] = [placeIn(footer), placeIn(footer)];
  const rest = footer.next(footerLength - magic.length - footer.position);
  if (!footer.next(magic.length).equals(magic) || rest.some((byte) => byte !== 0))
    throw new Malformed('it does not end as an index of TensorFlow');
  let end = 0;
  const following = (place: Place) => {
    if (place.offset !== end) throw new Malformed('its blocks do not follow each other');
    end += place.length + trailerLength;
    if (end > file.length - footerLength) throw new Malformed('it is truncated');
    return blockAt(file, place);
  };
  // The index is read first, but its own place in the file is checked in order.
  if (index.offset + index.length + trailerLength !== file.length - footerLength)
    throw new Malformed('its blocks do not follow each other');
  const entries = new Map<string, Buffer>();
  let last: Buffer | null = null;
  for (const [, value] of entriesOf(blockAt(file, index)))
    for (const [key, content] of entriesOf(following(placeIn(new ByteCursor(value))))) {
      if (last !== null && Buffer.compare(last, key) >= 0) throw new Malformed('its keys are not in order');
      last = key;
      const name = key.toString('utf8');
      if (entries.has(name)) throw new Malformed('its keys are not text');
      if (entries.size === maxEntries) throw new Malformed(`it has more than ${maxEntries} entries`);
      entries.set(name, content);
    }
  Array.from(entriesOf(following(metaindex))); // must be readable; its content is not used
  following(index);
  return entries;
}

const magic = Buffer.from('57fb808b247547db', 'hex');
const footerLength = 48;
/** Kind of compression and checksum, after each block. */
const trailerLength = 5;

interface Place {
  readonly offset: number;
  readonly length: number;
}

function placeIn(cursor: ByteCursor): Place {
  return { offset: cursor.varint(), length: cursor.varint() };
}

function blockAt(file: Buffer, { offset, length }: Place): Buffer {
  if (offset + length + trailerLength > file.length) throw new Malformed('it is truncated');
  const trailer = offset + length;
  if (maskedCrc32c(file.subarray(offset, trailer + 1)) !== file.readUInt32LE(trailer + 1))
    throw new Malformed('a checksum is wrong');
  if (file[trailer] !== 0) throw new Malformed('it is compressed');
  return file.subarray(offset, trailer);
}

function* entriesOf(block: Buffer): Generator<readonly [key: Buffer, value: Buffer]> {
  if (block.length < 4) throw new Malformed('it is truncated');
  const restarts = block.readUInt32LE(block.length - 4);
  const length = block.length - 4 - 4 * restarts;
  if (length < 0) throw new Malformed('it is truncated');
  const cursor = new ByteCursor(block.subarray(0, length));
  let key = Buffer.alloc(0);
  while (!cursor.isAtEnd) {
    const [shared, own, valueLength] = [cursor.varint(), cursor.varint(), cursor.varint()];
    if (shared > key.length) throw new Malformed('a key continues one that is shorter');
    const suffix = cursor.next(own);
    if (shared + own > maxKeyLength) throw new Malformed('it has a key that is too long');
    key = Buffer.concat([key.subarray(0, shared), suffix]);
    yield [key, cursor.next(valueLength)];
  }
}

/** More than any network has; they bound the memory of keys that share prefixes. */
const maxEntries = 1 << 16;
const maxKeyLength = 1024;
