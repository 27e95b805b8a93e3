import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/**
 * The names of the files in a zip archive, from the directory at its end; nothing is unpacked. null where none is found:
 * it is no zip, is cut short, or is so large (4 GB) that another kind of directory is needed.
 */
export function zipNames(path: string): readonly string[] | null {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const read = (offset: number, length: number) => {
      const bytes = Buffer.alloc(length);
      return bytes.subarray(0, readSync(file, bytes, 0, length, offset));
    };
    const tail = read(Math.max(0, size - longestEnd), Math.min(size, longestEnd));
    const end = tail.lastIndexOf(endSignature);
    if (end < 0 || end + endLength > tail.length) return null;
    const [length, offset] = [tail.readUInt32LE(end + 12), tail.readUInt32LE(end + 16)];
    return offset + length > size ? null : namesIn(read(offset, length));
  } finally {
    closeSync(file);
  }
}

const endSignature = Buffer.from('PK\x05\x06', 'latin1');
const endLength = 22;
/** A comment of any length may follow. */
const longestEnd = endLength + 0xffff;

const entrySignature = 0x02014b50;
const entryLength = 46;

function namesIn(directory: Buffer): readonly string[] | null {
  const names: string[] = [];
  for (let at = 0; at < directory.length; ) {
    if (at + entryLength > directory.length || directory.readUInt32LE(at) !== entrySignature) return null;
    const length = (place: number) => directory.readUInt16LE(at + place);
    const name = at + entryLength;
    names.push(directory.toString('utf8', name, name + length(28)));
    at = name + length(28) + length(30) + length(32); // the name, what else is noted, a comment
  }
  return names;
}
