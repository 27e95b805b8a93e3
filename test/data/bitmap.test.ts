/** BMP and PNM files against Pillow: scripts/golden/bitmaps.py. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { decodeBitmap } from '../../src/data/bitmap.js';
import { formatOf } from '../../src/data/image-format.js';
import { decodePixmap } from '../../src/data/portable-pixmap.js';
import { BrokenImage, mostPixels, type RawImage } from '../../src/data/raw-image.js';

const golden = JSON.parse(
  readFileSync(new URL('../../../test/golden/bitmaps.json', import.meta.url), 'utf8'),
) as {
  readonly size: readonly [number, number];
  readonly files: Readonly<Record<string, { readonly file: string; readonly pixels: readonly number[] }>>;
};
const files = Object.entries(golden.files).map(([name, { file, pixels }]) => ({
  name,
  file: new Uint8Array(Buffer.from(file, 'base64')),
  pixels,
}));
const decode = (file: Uint8Array) => (formatOf(file) === 'bmp' ? decodeBitmap(file) : decodePixmap(file));

/** [H, W, 3], transparency on white. */
function flat({ pixels, channels, height, width }: RawImage): number[] {
  return Array.from({ length: height * width * 3 }, (_, at) => {
    const [pixel, channel] = [Math.floor(at / 3) * channels, at % 3];
    const value = pixels[pixel + (channels === 1 ? 0 : channel)]!;
    const alpha = channels === 4 ? pixels[pixel + 3]! / 255 : 1;
    return value * alpha + 255 * (1 - alpha);
  });
}

describe('bitmaps', () => {
  for (const { name, file, pixels } of files)
    it(`${name}: the pixels of Pillow`, () => {
      const image = decode(file);
      assert.deepEqual([image.height, image.width], golden.size);
      // Levels of 5 and 6 bits, and mixtures with white, are rounded: Pillow rounds down.
      const most = /16 bits|alpha|up to 15/.test(name) ? 1 : 0;
      const off = Math.max(...flat(image).map((value, at) => Math.abs(value - pixels[at]!)));
      assert.ok(off <= most, `${off}`);
    });

  it('are refused where they are cut', () => {
    for (const { name, file } of files.filter((each) => !each.name.includes('text')))
      for (let length = 26; length < file.length; length += 3)
        assert.throws(() => decode(file.subarray(0, length)), BrokenImage, `${name} ${length}`);
  });

  it('are refused, at once, where a field is out of range', () => {
    const known = files.find(({ name }) => name === 'bmp of 8 bits, palette')!.file;
    const changed = (change: (view: DataView) => void) => {
      const copy = known.slice();
      change(new DataView(copy.buffer));
      return () => decodeBitmap(copy);
    };
    for (const [change, reason] of [
      [(view) => view.setInt32(18, 0, true), /0 pixels/],
      [(view) => view.setInt32(18, -7, true), /pixels/],
      [(view) => view.setInt32(22, -(2 ** 31), true), /above the limit/],
      [(view) => view.setInt32(18, mostPixels, true), /above the limit/],
      [(view) => view.setUint16(28, 7, true), /7 bits a pixel/],
      [(view) => view.setUint32(30, 1, true), /compressed/],
      [(view) => view.setUint32(46, 2 ** 31, true), /palette of/],
      [(view) => view.setUint32(46, 2, true), /of a palette of 2/],
      [(view) => view.setUint32(10, 2 ** 32 - 1, true), /bytes are expected/],
      [(view) => view.setUint32(14, 41, true), /header of 41 bytes/],
    ] as readonly (readonly [(view: DataView) => void, RegExp])[])
      assert.throws(changed(change), reason);
    for (const [text, reason] of [
      ['P6 7', /height is no number/],
      ['P6 x 2 255\n', /width is no number/],
      ['P6 1 1 0\n   ', /maximum of 0/],
      ['P6 1 1 65536\n      ', /maximum of 65536/],
      ['P6 99999 99999 255\n', /above the limit/],
      ['P3 1 1 255 1 2 256', /value of 256/],
      ['P3 1 1 255 1 2 ', /is no number|bytes are expected/],
      ['P1 2 1 12', /neither 0 nor 1/],
      ['P5 9999999999 1 255\n', /no number/],
      ['P6 #', /no number/],
    ] as const)
      assert.throws(() => decodePixmap(new TextEncoder().encode(text)), reason, text);
  });

  it('whose alpha is empty everywhere are opaque', () => {
    const { file } = files.find(({ name }) => name === 'bmp of 32 bits with alpha')!;
    const copy = file.slice();
    for (let at = new DataView(copy.buffer).getUint32(10, true) + 3; at < copy.length; at += 4) copy[at] = 0;
    assert.equal(decodeBitmap(copy).channels, 3);
  });
});
