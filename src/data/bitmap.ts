import { BrokenImage, type RawImage, requireSize } from './raw-image.js';

/**
 * Decodes a BMP file of 1, 4, 8, 16, 24 or 32 bits a pixel without compression, with a palette or masks, from the bottom up
 * or top down. sharp does not read the format, and it is small. Source: Microsoft's BITMAPINFOHEADER and BITMAPV5HEADER.
 *
 * @throws {BrokenImage} for a file that is cut short, out of range, or compressed.
 */
export function decodeBitmap(file: Uint8Array): RawImage {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const header = headerOf(view);
  const { width, height, bits, start } = header;
  requireSize(height, width);
  const stride = Math.floor((bits * width + 31) / 32) * 4;
  if (start + stride * height > file.length)
    throw new BrokenImage(`${start + stride * height} bytes are expected, ${file.length} are there`);
  const colourOf = bits <= 8 ? paletteColours(view, header) : maskedColours(header);
  const channels = bits > 8 && hasAlpha(view, header) ? 4 : 3;
  const pixels = new Uint8Array(width * height * channels);
  for (let y = 0, to = 0; y < height; y++) {
    const row = start + stride * (header.topDown ? y : height - 1 - y);
    for (let x = 0; x < width; x++, to += channels) {
      const colour = colourOf(valueAt(view, { row, x, bits }));
      pixels[to] = colour >>> 24;
      pixels[to + 1] = colour >>> 16;
      pixels[to + 2] = colour >>> 8;
      if (channels === 4) pixels[to + 3] = colour;
    }
  }
  return { pixels, height, width, channels };
}

interface Header {
  readonly width: number;
  readonly height: number;
  readonly topDown: boolean;
  readonly bits: number;
  /** Of the pixels in the file. */
  readonly start: number;
  /** The palette: its place, number of colours, and bytes per colour. */
  readonly palette: { readonly at: number; readonly count: number; readonly bytes: 3 | 4 };
  /** Of red, green, blue and alpha, for 16 to 32 bits. */
  readonly masks: readonly [number, number, number, number];
}

const fileHeader = 14;
const known = [1, 4, 8, 16, 24, 32];
/** Values of the field `compression`. */
const uncompressed = 0;
const withMasks = [3, 6];

function headerOf(view: DataView): Header {
  const size = view.getUint32(fileHeader, true);
  if (![12, 40, 52, 56, 64, 108, 124].includes(size) || view.byteLength < fileHeader + size)
    throw new BrokenImage(`a header of ${size} bytes is not known`);
  const at = (offset: number) => fileHeader + offset;
  const start = view.getUint32(10, true);
  if (size === 12) {
    const [width, height] = [view.getUint16(at(4), true), view.getUint16(at(6), true)];
    const bits = bitsAt(view, at(10));
    const palette = { at: at(12), count: bits <= 8 ? 2 ** bits : 0, bytes: 3 } as const;
    return { width, height, topDown: false, bits, start, palette, masks: usualMasks(bits) };
  }
  const [width, height] = [view.getInt32(at(4), true), view.getInt32(at(8), true)];
  const bits = bitsAt(view, at(14));
  const compression = view.getUint32(at(16), true);
  const hasMasks = withMasks.includes(compression) && (bits === 16 || bits === 32);
  if (compression !== uncompressed && !hasMasks)
    throw new BrokenImage('compressed BMP is not read: convert it to PNG');
  const used = view.getUint32(at(32), true);
  const most = bits <= 8 ? 2 ** bits : 0;
  if (bits <= 8 && used > most) throw new BrokenImage(`a palette of ${used} colours for ${bits} bits`);
  const palette = { at: at(size), count: used === 0 ? most : used, bytes: 4 } as const;
  // The masks are part of the header from version 2 on, and else stand behind it.
  const masksEnd = at(40) + (size >= 56 ? 16 : 12);
  if (hasMasks && view.byteLength < masksEnd) throw new BrokenImage('its masks are cut short');
  const mask = (index: number) => view.getUint32(at(40) + 4 * index, true);
  const masks = hasMasks
    ? ([mask(0), mask(1), mask(2), size >= 56 ? mask(3) : 0] as const)
    : usualMasks(bits);
  return { width, height: Math.abs(height), topDown: height < 0, bits, start, palette, masks };
}

function bitsAt(view: DataView, at: number): number {
  const bits = view.getUint16(at, true);
  if (!known.includes(bits)) throw new BrokenImage(`${bits} bits a pixel are not read`);
  return bits;
}

function usualMasks(bits: number): Header['masks'] {
  return bits === 16 ? [0x7c00, 0x3e0, 0x1f, 0] : [0xff0000, 0xff00, 0xff, 0];
}

/** A pixel as it is stored: an index of the palette, or bits for the masks. */
function valueAt(
  view: DataView,
  { row, x, bits }: { readonly row: number; readonly x: number; readonly bits: number },
): number {
  if (bits === 32) return view.getUint32(row + 4 * x, true);
  if (bits === 24) return view.getUint16(row + 3 * x, true) | (view.getUint8(row + 3 * x + 2) << 16);
  if (bits === 16) return view.getUint16(row + 2 * x, true);
  const perByte = 8 / bits;
  const shift = 8 - bits * ((x % perByte) + 1);
  return (view.getUint8(row + Math.floor(x / perByte)) >> shift) & (2 ** bits - 1);
}

/** Red, green, blue and alpha of a stored pixel, in the four bytes of a number. */
type ColourOf = (value: number) => number;

function paletteColours(view: DataView, { palette: { at, count, bytes } }: Header): ColourOf {
  if (at + count * bytes > view.byteLength) throw new BrokenImage('its palette is cut short');
  const colours = Array.from({ length: count }, (_, index) => {
    const place = at + index * bytes;
    return (
      (view.getUint8(place + 2) << 24) | (view.getUint8(place + 1) << 16) | (view.getUint8(place) << 8) | 255
    );
  });
  return (value) => {
    const colour = colours[value];
    if (colour === undefined) throw new BrokenImage(`colour ${value} of a palette of ${count}`);
    return colour;
  };
}

function maskedColours({ masks }: Header): ColourOf {
  const channels = masks.map((mask) => {
    const shift = mask === 0 ? 0 : 31 - Math.clz32(mask & -mask);
    const most = mask >>> shift;
    if ((most & (most + 1)) !== 0) throw new BrokenImage('a mask with gaps');
    return { mask, shift, most };
  });
  return (value) =>
    channels.reduce((colour, { mask, shift, most }) => {
      const level = most === 0 ? 0 : Math.round((((value & mask) >>> shift) * 255) / most);
      return (colour << 8) | level;
    }, 0);
}

/** Whether any pixel has an alpha above 0: some programs declare alpha and leave it empty. */
function hasAlpha(view: DataView, { masks: [, , , mask], width, height, start, bits }: Header): boolean {
  if (mask === 0) return false;
  const stride = Math.floor((bits * width + 31) / 32) * 4;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      if ((valueAt(view, { row: start + stride * y, x, bits }) & mask) !== 0) return true;
  return false;
}
