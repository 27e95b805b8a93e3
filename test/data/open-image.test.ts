/** What is opened as an image, by its content and its header, before anything is decoded. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import sharp from 'sharp';
import { decodeImage, decodeImages } from '../../src/data/decode-image.js';
import { centreView } from '../../src/data/imagenet/crop.js';
import { decodeView } from '../../src/data/imagenet/decode.js';
import { jpegHeader } from '../../src/data/jpeg-header.js';
import { openImage } from '../../src/data/open-image.js';
import { BrokenImage } from '../../src/data/raw-image.js';
import { InputError } from '../../src/errors.js';
import { type TiffFile, tiffFile } from '../support/tiff-file.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-open-'));
after(() => rmSync(folder, { recursive: true }));
let written = 0;
function file(bytes: Uint8Array, name = `${written++}.png`): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

const noise = Buffer.from(Array.from({ length: 32 * 32 * 3 }, (_, i) => (i * 7919 + (i >> 3) * 31) & 255));
const picture = sharp(noise, { raw: { height: 32, width: 32, channels: 3 } });

/** Both readers refuse `bytes`, for the same reason and without a stack. */
async function assertRefused(bytes: Uint8Array, reason: RegExp): Promise<void> {
  await assert.rejects(decodeImage(file(bytes), { size: [8, 8] }), (error) => {
    assert.ok(error instanceof InputError, String(error));
    assert.match(error.message, reason);
    return true;
  });
  const target = new Uint8Array(3 * 64);
  const viewOf = (size: readonly [number, number]) => centreView(size, { resize: 8, size: 8 });
  for (const decoding of ['exact', 'fast'] as const)
    await assert.rejects(
      decodeView(bytes, { viewOf, filter: 'bilinear', decoding, target, offset: 0 }),
      (error) => {
        assert.ok(error instanceof BrokenImage, String(error));
        assert.match(error.message, reason);
        return true;
      },
    );
}

describe('an image of another format', () => {
  it('is refused by its content, whatever its name', async () => {
    const svg =
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>';
    for (const [text, kind] of [
      [svg, 'SVG'],
      [`<?xml version="1.0"?>\n<!-- a -->\n${svg}`, 'SVG'],
      ['%PDF-1.7\n', 'PDF'],
      ['8BPS\0\x01', 'PSD'],
      ['\0\0\0\x1cftypheic\0\0\0\0mif1heic', 'HEIC'],
      ['\0\0\0\x0cjP  \r\n\x87\n', 'JPEG 2000'],
      ['<!DOCTYPE html><html>', 'a web page'],
      ['version https://git-lfs.github.com/spec/v1\n', 'Git LFS'],
      ['\x1f\x8b\x08', 'no known format'],
    ] as const)
      await assertRefused(Buffer.from(text, 'latin1'), new RegExp(`it is .*${kind}.*JPEG, PNG, WebP`));
  });

  it('is read where it is one of the list, whatever its name', async () => {
    const pixels = await picture.clone().raw().toBuffer();
    const ppm = Buffer.concat([Buffer.from('P6 32 32 255\n'), pixels]);
    const planes = Uint8Array.from(
      { length: pixels.length },
      (_, at) => pixels[(at % 1024) * 3 + Math.floor(at / 1024)]!,
    );
    for (const bytes of [
      ppm,
      await picture.clone().png().toBuffer(),
      await picture.clone().tiff({ compression: 'lzw' }).toBuffer(),
    ])
      assert.deepEqual(new Uint8Array(await decodeImage(file(bytes, 'a.jfif'), { size: [32, 32] })), planes);
  });
});

describe('the pixels of a TIFF', () => {
  const grey = (type: Pick<TiffFile, 'bits'> & Partial<TiffFile>, values: ArrayBufferView) =>
    tiffFile({ size: [4, 4], ...type, data: new Uint8Array(values.buffer) });
  const ramp = Array.from({ length: 16 }, (_, at) => at);

  it('of 8 and 16 bits are read, from black to white', async () => {
    for (const [bytes, by] of [
      [
        grey(
          { bits: 8 },
          Uint8Array.from(ramp, (at) => at * 17),
        ),
        0,
      ],
      [
        grey(
          { bits: 16 },
          Uint16Array.from(ramp, (at) => at * 17 * 257),
        ),
        0,
      ],
      [
        grey(
          { bits: 8, colours: 0 },
          Uint8Array.from(ramp, (at) => 255 - at * 17),
        ),
        0,
      ],
      [
        grey(
          { bits: 4 },
          Uint8Array.from({ length: 8 }, (_, at) => (2 * at * 16) | (2 * at + 1)),
        ),
        0,
      ],
    ] as const) {
      const image = await decodeImage(file(bytes, 'a.tif'), { size: [4, 4], channels: 1 });
      assert.ok(Math.max(...image.map((value, at) => Math.abs(value - at * 17))) <= by, image.join());
    }
  });

  it('of other types, whose black and white are not known, are refused', async () => {
    for (const [bytes, type] of [
      [
        grey(
          { bits: 32, format: 3 },
          Float32Array.from(ramp, (at) => at / 16),
        ),
        'float',
      ],
      [
        grey(
          { bits: 32, format: 3 },
          Float32Array.from(ramp, (at) => at * 17),
        ),
        'float',
      ],
      [
        grey(
          { bits: 32, format: 1 },
          Uint32Array.from(ramp, (at) => at * 2 ** 28),
        ),
        'uint',
      ],
      [
        grey(
          { bits: 16, format: 2 },
          Int16Array.from(ramp, (at) => at * 2000),
        ),
        'short',
      ],
      [
        grey(
          { bits: 8, format: 2 },
          Int8Array.from(ramp, (at) => at * 8),
        ),
        'char',
      ],
    ] as const)
      await assertRefused(bytes, new RegExp(`of the type ${type}, whose black and white are not known`));
  });

  it('with channels that are neither colour nor alpha are refused', async () => {
    const many = (samples: number, extra: readonly number[], colours = 2) =>
      grey({ bits: 8, samples, extra, colours }, new Uint8Array(16 * samples).fill(200));
    for (const bytes of [many(4, [0]), many(4, []), many(5, [2, 0]), many(2, [0], 1)])
      await assertRefused(bytes, /channels are not grey, RGB or CMYK with alpha at most/);
    for (const bytes of [many(4, [2]), many(4, [1]), many(2, [2], 1), many(4, [], 5)])
      assert.equal((await decodeImage(file(bytes), { size: [4, 4] })).length, 48);
  });

  it('of 16 bits that stay nearly black are read, and told', async () => {
    const dark = file(
      grey(
        { bits: 16 },
        Uint16Array.from(ramp, (at) => at * 256),
      ),
      'dark.tif',
    );
    const { warnings } = await decodeImages({ files: [dark], form: { size: [4, 4] } });
    assert.match(warnings.join(), /^Read 1 image, but 16-bit values stay below 4096 .*dark\.tif/);
  });
});

describe('a JPEG', () => {
  const sized = (bytes: Buffer, height: number, width: number) => {
    const copy = Buffer.from(bytes);
    for (let at = 2; ; at += 2 + copy.readUInt16BE(at + 2))
      if (copy[at + 1]! >= 0xc0 && copy[at + 1]! <= 0xc2) {
        copy.writeUInt16BE(height, at + 5);
        copy.writeUInt16BE(width, at + 7);
        return copy;
      }
  };

  it('that claims more pixels than its bytes can hold, or than are read, is refused before it is decoded', async () => {
    const began = performance.now();
    for (const space of ['cmyk', 'srgb', 'b-w'] as const)
      for (const progressive of [false, true]) {
        const bytes = await picture.clone().toColourspace(space).jpeg({ progressive }).toBuffer();
        await assertRefused(
          sized(bytes, 16_383, 16_383),
          /16383x16383 pixels, above the limit of 134,217,728/,
        );
        await assertRefused(sized(bytes, 11_000, 11_000), /11000x11000 pixels, more than \d+ bytes can hold/);
        await assertRefused(sized(bytes, 0, 32), /0x32 pixels/);
      }
    assert.ok(performance.now() - began < 5000);
  });

  it('of a single colour, the smallest for its size, is read', async () => {
    for (const progressive of [false, true])
      for (const chromaSubsampling of ['4:2:0', '4:4:4']) {
        const flat = sharp({ create: { height: 512, width: 512, channels: 3, background: '#808080' } });
        const bytes = await flat
          .jpeg({ progressive, chromaSubsampling, mozjpeg: true, quality: 1 })
          .toBuffer();
        assert.equal((await decodeImage(file(bytes), { size: [1, 1] })).length, 3);
      }
  });

  it('with more scans than any encoder makes is refused', async () => {
    const bytes = await picture.clone().jpeg({ progressive: true }).toBuffer();
    const scans = jpegHeader(bytes, 1000)!.scans;
    assert.ok(scans > 1 && scans <= 20, `${scans}`);
    const last = bytes.lastIndexOf(Buffer.from([0xff, 0xda]));
    const scan = bytes.subarray(last, -2);
    const bomb = Buffer.concat([
      bytes.subarray(0, last),
      ...Array.from({ length: 200 }, () => scan),
      bytes.subarray(-2),
    ]);
    await assertRefused(bomb, /more than 100 scans/);
    assert.equal(jpegHeader(bomb, 100)!.scans, 101);
    assert.equal(jpegHeader(await picture.clone().jpeg({ progressive: false }).toBuffer(), 100)!.scans, 1);
  });

  it('whose decoder warns is read, and told', async () => {
    const bytes = await picture.clone().jpeg().toBuffer();
    // A header of JFIF of a revision that no decoder knows.
    const header = Buffer.from('\xff\xe0\0\x10JFIF\0\x07\x02\0\0\x01\0\x01\0\0', 'latin1');
    const odd = Buffer.concat([bytes.subarray(0, 2), header, bytes.subarray(2)]);
    const form = { size: [32, 32] } as const;
    assert.deepEqual(await decodeImage(file(odd), form), await decodeImage(file(bytes), form));
    const files = [file(bytes), file(odd, 'odd.jpg')];
    const { warnings, kept } = await decodeImages({ files, form });
    assert.deepEqual([...kept], [0, 1]);
    assert.match(warnings.join(), /^Read 1 image, but the decoder warns(: .*JFIF.*)? \(.*odd\.jpg\)\.$/);
  });
});

it('the size of a format that sharp reads has the same limit', async () => {
  const png = await picture.clone().png().toBuffer();
  const wide = Buffer.from(png);
  wide.writeUInt32BE(20_000, 16);
  wide.writeUInt32BE(20_000, 20);
  const { crc32 } = await import('node:zlib');
  if (typeof crc32 === 'function') wide.writeUInt32BE(crc32(wide.subarray(12, 29)), 29);
  await assert.rejects(openImage(wide, {}), BrokenImage);
});
