import { BrokenImage, type RawImage, requireSize } from './raw-image.js';

/**
 * Decodes a file of the PNM family: PBM (P1, P4), PGM (P2, P5) or PPM (P3, P6), as text or bytes, the first image of it.
 * Values are scaled from 0 to the stated maximum to bytes. Source: the specifications of Netpbm.
 *
 * @throws {BrokenImage} for a file that is cut short, or has values out of range.
 */
export function decodePixmap(file: Uint8Array): RawImage {
  const kind = file[1]! - 0x30; // 1 to 6, as `formatOf` saw
  const isBits = kind === 1 || kind === 4;
  const channels = kind === 3 || kind === 6 ? 3 : 1;
  const words = new Words(file, 2);
  const [width, height] = [words.number('width'), words.number('height')];
  const most = isBits ? 1 : words.number('maximum');
  requireSize(height, width);
  if (most < 1 || most > 65_535) throw new BrokenImage(`a maximum of ${most}, not 1 to 65535`);
  const count = width * height * channels;
  const isText = kind <= 3;
  const start = words.at + 1; // a single blank
  const bytesPerRow = isBits ? Math.ceil(width / 8) : width * channels * (most > 255 ? 2 : 1);
  const least = isText ? count : bytesPerRow * height;
  if (start + least > file.length)
    throw new BrokenImage(`${start + least} bytes are expected, ${file.length} are there`);
  const pixels = new Uint8Array(count);
  const view = new DataView(file.buffer, file.byteOffset + start);
  for (let at = 0; at < count; at++) {
    const [y, x] = [Math.floor(at / width), at % width];
    const value =
      kind === 1
        ? words.bit()
        : isText
          ? words.number('a value')
          : isBits
            ? (view.getUint8(y * bytesPerRow + (x >> 3)) >> (7 - (x & 7))) & 1
            : most > 255
              ? view.getUint16(2 * at)
              : view.getUint8(at);
    if (value > most) throw new BrokenImage(`a value of ${value}, above its maximum of ${most}`);
    // In PBM 1 is black.
    pixels[at] = isBits ? 255 * (1 - value) : most === 255 ? value : Math.round((value * 255) / most);
  }
  return { pixels, height, width, channels };
}

const isBlank = (byte: number | undefined) => byte === 32 || (byte !== undefined && byte >= 9 && byte <= 13);

/** The words of the header, and of a file in text; a comment goes from # to the end of its line. */
class Words {
  constructor(
    readonly file: Uint8Array,
    public at: number,
  ) {}

  #skip(): void {
    for (;;) {
      while (isBlank(this.file[this.at])) this.at++;
      if (this.file[this.at] !== 0x23) return;
      const end = this.file.indexOf(10, this.at);
      this.at = end === -1 ? this.file.length : end;
    }
  }

  /** A whole number of at most nine digits. */
  number(what: string): number {
    this.#skip();
    let value = 0;
    const first = this.at;
    for (; this.at - first < 9; this.at++) {
      const digit = this.file[this.at]! - 0x30;
      if (!(digit >= 0 && digit <= 9)) break;
      value = value * 10 + digit;
    }
    const next = this.file[this.at];
    if (this.at === first || (next !== undefined && !isBlank(next) && next !== 0x23))
      throw new BrokenImage(`${what} is no number`);
    return value;
  }

  /** A digit of P1, which needs no blanks between digits. */
  bit(): number {
    this.#skip();
    const value = this.file[this.at++]! - 0x30;
    if (value !== 0 && value !== 1) throw new BrokenImage('a value is neither 0 nor 1');
    return value;
  }
}
