/** A box of a JPEG file, decoded alone, has the pixels that it has in the whole image: sharp's, which are Pillow's. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp, { type Sharp } from 'sharp';
import { noise } from '../../src/tensor/noise.js';
import { type Box, jpegDecoder, resample, resampleJpeg, sizeOfJpeg } from '../../src/tensor/resample.js';

const skip = jpegDecoder() === null ? 'this engine was built without libjpeg-turbo' : false;

/** Soft shapes under grain: both the smooth and the sharp parts of a photograph. */
function picture(height: number, width: number): Sharp {
  using grain = noise('uniform', { key: { seed: 1, stream: 'bench' }, ids: [0], shape: [height, width, 3] });
  const values = grain.numbers();
  const pixels = Uint8Array.from(values, (value, at) => {
    const [y, x, channel] = [Math.floor(at / 3 / width), Math.floor(at / 3) % width, at % 3];
    return 110 + 70 * Math.sin((x + 13 * channel) / 9) * Math.cos(y / 7) + 50 * value;
  });
  return sharp(pixels, { raw: { height, width, channels: 3 } });
}

const kinds: Readonly<Record<string, (image: Sharp) => Sharp>> = {
  '4:2:0': (image) => image.jpeg({ quality: 80, chromaSubsampling: '4:2:0' }),
  '4:4:4': (image) => image.jpeg({ quality: 95, chromaSubsampling: '4:4:4' }),
  progressive: (image) => image.jpeg({ quality: 80, progressive: true }),
  grey: (image) => image.toColourspace('b-w').jpeg({ quality: 80 }),
};

/** Corners, edges, one pixel, all, and some in between. */
function boxesOf(height: number, width: number): Box[] {
  const random = noise('uniform', { key: { seed: 2, stream: 'bench' }, ids: [0], shape: [30, 4] });
  const draws = random.numbers();
  random.dispose();
  const some = Array.from({ length: 30 }, (_, at) => {
    const draw = (index: number) => draws[4 * at + index]!;
    const box = { height: 1 + Math.floor(draw(0) * height), width: 1 + Math.floor(draw(1) * width) };
    return {
      ...box,
      top: Math.floor(draw(2) * (height - box.height + 1)),
      left: Math.floor(draw(3) * (width - box.width + 1)),
    };
  });
  return [
    { top: 0, left: 0, height, width },
    { top: height - 1, left: width - 1, height: 1, width: 1 },
    { top: 0, left: 0, height: 1, width: 1 },
    { top: 16, left: 0, height: 16, width: 16 },
    ...some,
  ];
}

const whole = ({ height, width }: Box) => ({ top: 0, left: 0, height, width });

describe('a box of a JPEG file', { skip }, () => {
  for (const [kind, encode] of Object.entries(kinds))
    for (const [height, width] of [
      [120, 173],
      [33, 16],
    ] as const)
      it(`has the pixels of the whole image: ${kind}, ${height} x ${width}`, async () => {
        const file = await encode(picture(height, width)).toBuffer();
        assert.deepEqual(sizeOfJpeg(file), [height, width]);
        for (const box of boxesOf(height, width)) {
          const pixels = await sharp(file).extract(box).toColourspace('srgb').raw().toBuffer();
          // Not resized, resized, and a window that does not need all rows.
          for (const [full, window] of [
            [[box.height, box.width], whole(box)],
            [[20, 24], whole({ ...box, height: 20, width: 24 })],
            [[20, 24], { top: 7, left: 3, height: 5, width: 11 }],
          ] as const) {
            const how = { full, window, filter: 'bilinear', flip: false } as const;
            const [target, expected] = [0, 1].map(() => new Uint8Array(3 * window.height * window.width));
            await resample(
              pixels,
              { ...how, size: [box.height, box.width] },
              { target: expected!, offset: 0 },
            );
            assert.equal(await resampleJpeg(file, { ...how, box }, { target: target!, offset: 0 }), true);
            assert.deepEqual(target, expected, JSON.stringify({ box, full, window }));
          }
        }
      });
});

describe('what is left to another decoder', { skip }, () => {
  const box = { top: 0, left: 0, height: 30, width: 40 };
  const how = { box, full: [30, 40], window: box, filter: 'bilinear', flip: false } as const;
  const place = () => ({ target: new Uint8Array(3 * 30 * 40), offset: 0 });

  it('is other formats, CMYK, and a file without its end', async () => {
    const file = await picture(30, 40).jpeg().toBuffer();
    assert.deepEqual(sizeOfJpeg(file), [30, 40]);
    assert.deepEqual(sizeOfJpeg(Buffer.concat([file, Buffer.alloc(100)])), [30, 40], 'padding is no damage');
    for (const other of [
      file.subarray(0, -2),
      file.subarray(0, 300),
      file.subarray(0, 3),
      new Uint8Array(),
      await picture(30, 40).png().toBuffer(),
      await picture(30, 40).toColourspace('cmyk').jpeg().toBuffer(),
    ])
      assert.equal(sizeOfJpeg(other), null);
  });

  it('is a file with damage inside, without an end of the process', async () => {
    const file = await picture(30, 40).jpeg().toBuffer();
    const scan = file.indexOf(Buffer.from([0xff, 0xda]));
    const cut = Buffer.concat([file.subarray(0, scan + 60), file.subarray(-2)]);
    assert.deepEqual(sizeOfJpeg(cut), [30, 40]);
    assert.equal(await resampleJpeg(cut, how, place()), false);
    const tables = Buffer.from(file);
    tables.fill(0xff, file.indexOf(Buffer.from([0xff, 0xc4])) + 4, scan);
    assert.equal(await resampleJpeg(tables, how, place()), false);
  });

  it('is a box beyond the image', async () => {
    const file = await picture(20, 40).jpeg().toBuffer();
    assert.equal(await resampleJpeg(file, how, place()), false);
    assert.throws(
      () => resampleJpeg(file, { ...how, box: { ...box, top: -1 } }, place()),
      /box within the image/,
    );
  });
});
