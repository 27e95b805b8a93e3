/** An uncompressed TIFF file in one strip, of any type of pixels: sharp writes few. */
export interface TiffFile {
  readonly size: readonly [height: number, width: number];
  /** Channels. @default 1 */
  readonly samples?: number;
  readonly bits: number;
  /** 1 is unsigned, 2 signed, 3 floating point. @default 1 */
  readonly format?: number;
  /** 0 is grey from white, 1 grey from black, 2 RGB, 5 CMYK. @default 1 */
  readonly colours?: number;
  /** What each channel beyond the colours is: 0 unspecified, 1 and 2 alpha. @default none */
  readonly extra?: readonly number[];
  readonly data: Uint8Array;
}

const [short, long] = [3, 4];

export function tiffFile({
  size,
  samples = 1,
  bits,
  format = 1,
  colours = 1,
  extra = [],
  data,
}: TiffFile): Buffer {
  const [height, width] = size;
  const each = (value: number) => new Array<number>(samples).fill(value);
  const head = Buffer.alloc(512);
  const tags: readonly (readonly [tag: number, type: number, values: readonly number[]])[] = [
    [256, short, [width]],
    [257, short, [height]],
    [258, short, each(bits)],
    [259, short, [1]],
    [262, short, [colours]],
    [273, long, [head.length]],
    [277, short, [samples]],
    [278, short, [height]],
    [279, long, [data.length]],
    ...(extra.length > 0 ? [[338, short, extra] as const] : []),
    [339, short, each(format)],
  ];
  head.write('II*\0\x08', 'latin1');
  head.writeUInt16LE(tags.length, 8);
  let free = 10 + 12 * tags.length + 4;
  for (const [index, [tag, type, values]] of tags.entries()) {
    const at = 10 + 12 * index;
    const bytes = values.length * (type === short ? 2 : 4);
    head.writeUInt16LE(tag, at);
    head.writeUInt16LE(type, at + 2);
    head.writeUInt32LE(values.length, at + 4);
    const place = bytes <= 4 ? at + 8 : free;
    if (bytes > 4) {
      head.writeUInt32LE(free, at + 8);
      free += bytes;
    }
    for (const [offset, value] of values.entries())
      if (type === short) head.writeUInt16LE(value, place + 2 * offset);
      else head.writeUInt32LE(value, place + 4 * offset);
  }
  return Buffer.concat([head, data]);
}
