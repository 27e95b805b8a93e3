import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipContent {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Deflated instead of stored. @default false */
  readonly packed?: boolean;
  /** The unpacked size that the directory states. @default the right one */
  readonly states?: number;
}

/** The bytes of a zip archive. */
export function zipFile(contents: readonly ZipContent[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let position = 0;
  for (const { name, bytes, packed = false, states = bytes.length } of contents) {
    const data = packed ? deflateRawSync(bytes) : Buffer.from(bytes);
    const label = Buffer.from(name);
    const facts = Buffer.alloc(26); // from the version to the lengths, as both headers have them
    facts.writeUInt16LE(20, 0);
    facts.writeUInt16LE(packed ? 8 : 0, 4);
    facts.writeUInt32LE(crc32(bytes), 10);
    facts.writeUInt32LE(data.length, 14);
    facts.writeUInt32LE(states, 18);
    facts.writeUInt16LE(label.length, 22);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(position, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\0', 'latin1'), facts, rest, label);
    parts.push(Buffer.from('PK\x03\x04', 'latin1'), facts, label, data);
    position += 4 + facts.length + label.length + data.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(contents.length, 8);
  end.writeUInt16LE(contents.length, 10);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(position, 16);
  return Buffer.concat([...parts, listed, end]);
}
