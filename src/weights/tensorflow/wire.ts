/**
 * The wire format of protocol buffers (https://protobuf.dev/programming-guides/encoding), which a checkpoint's index
 * uses for two small messages; the libraries for it are larger than what is needed of them. Also reads LevelDB's
 * numbers, which are the same varints.
 */

/** The bytes are not what they should be; the reader of the file turns it into a sentence. */
export class Malformed extends Error {}

/** A position in bytes that only moves forward. @throws {Malformed} beyond the end, in every method. */
export class ByteCursor {
  position = 0;

  constructor(readonly bytes: Buffer) {}

  get isAtEnd(): boolean {
    return this.position >= this.bytes.length;
  }

  next(length: number): Buffer {
    if (length > this.bytes.length - this.position) throw new Malformed('it is truncated');
    this.position += length;
    return this.bytes.subarray(this.position - length, this.position);
  }

  /** A whole number from 0 to 2⁵³ − 1 in groups of seven bits, lowest first. */
  varint(): number {
    let value = 0;
    for (let factor = 1; factor < 2 ** 70; factor *= 128) {
      const byte = this.next(1)[0]!;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) break;
        return value;
      }
    }
    throw new Malformed('it has a number that is too large');
  }

  uint32(): number {
    return this.next(4).readUInt32LE();
  }
}

/** The value of a field: of a varint or a fixed32 the number, of a string or message the bytes. */
export type FieldValue = number | Buffer;

/** The fields of a message in their order. @throws {Malformed} for groups, 64-bit fields and truncated messages. */
export function* fieldsOf(message: Buffer): Generator<readonly [field: number, value: FieldValue]> {
  const cursor = new ByteCursor(message);
  while (!cursor.isAtEnd) {
    const tag = cursor.varint();
    const field = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
        yield [field, cursor.varint()];
        break;
      case 2:
        yield [field, cursor.next(cursor.varint())];
        break;
      case 5:
        yield [field, cursor.uint32()];
        break;
      default:
        throw new Malformed('it has a field of an unknown kind');
    }
  }
}

/** @throws {Malformed} for a field that should be a number. */
export function numberIn(value: FieldValue): number {
  if (typeof value === 'number') return value;
  throw new Malformed('it has text in place of a number');
}

/** @throws {Malformed} for a field that should be a string or a message. */
export function bytesIn(value: FieldValue): Buffer {
  if (typeof value !== 'number') return value;
  throw new Malformed('it has a number in place of text');
}
