import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import sharp from 'sharp';
import { decodeImage, decodeImages, type ImageForm, imageSize } from '../../src/data/decode-image.js';
import { InputError } from '../../src/errors.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-image-'));
after(() => rmSync(folder, { recursive: true }));

let written = 0;
function file(bytes: Uint8Array, name = `${written++}.jpg`): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** A picture whose left half is red and whose right half is blue. */
function redBlue(height: number, width: number) {
  const pixels = Buffer.alloc(height * width * 3);
  for (let at = 0; at < height * width; at++) pixels[3 * at + (at % width < width / 2 ? 0 : 2)] = 255;
  return sharp(pixels, { raw: { height, width, channels: 3 } });
}

function plain(colour: string, height: number, width: number) {
  return sharp({ create: { height, width, channels: 4, background: colour } });
}

/** The value of channel `c` at row `y` and column `x` of [C, H, W]. */
function at(
  image: Uint8Array,
  [height, width]: ImageForm['size'],
  [c, y, x]: readonly [number, number, number],
) {
  return image[(c * height + y) * width + x]!;
}

function colourAt(image: Uint8Array, size: ImageForm['size'], [y, x]: readonly [number, number]): number[] {
  return [0, 1, 2].map((c) => at(image, size, [c, y, x]));
}

function near(actual: readonly number[], expected: readonly number[], by: number): void {
  const off = actual.map((value, i) => Math.abs(value - expected[i]!));
  assert.ok(
    actual.length === expected.length && Math.max(...off) <= by,
    `${actual} is not ${expected} within ${by}`,
  );
}

async function refusal(reading: Promise<object>): Promise<string> {
  const error = await reading.then(
    () => assert.fail('the image was accepted'),
    (reason) => reason,
  );
  assert.ok(error instanceof InputError, String(error));
  assert.equal(error.message.includes('\n'), false);
  return error.message;
}

test('an image of the asked size keeps its bytes, as planes of red, green and blue', async () => {
  const image = await decodeImage(file(await redBlue(2, 4).png().toBuffer()), { size: [2, 4] });
  const left = [255, 255, 0, 0];
  const none = [0, 0, 0, 0];
  const right = [0, 0, 255, 255];
  assert.deepEqual([...image], [...left, ...left, ...none, ...none, ...right, ...right]);
});

test('grey, 16-bit, palette, CMYK and alpha images become RGB bytes', async () => {
  const size = [4, 4] as const;
  const orange = plain('rgb(200, 100, 20)', 4, 4);
  const sources = {
    rgb16: await orange.clone().removeAlpha().toColourspace('rgb16').png().toBuffer(),
    palette: await orange.clone().removeAlpha().png({ palette: true }).toBuffer(),
    webp: await orange.clone().webp({ lossless: true }).toBuffer(),
    tiff: await orange.clone().removeAlpha().tiff().toBuffer(),
  };
  for (const [kind, bytes] of Object.entries(sources)) {
    const image = await decodeImage(file(bytes, `${kind}.png`), { size });
    near(colourAt(image, size, [1, 2]), [200, 100, 20], 1);
  }
  const cmyk = await orange.clone().removeAlpha().toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer();
  assert.equal((await sharp(cmyk).metadata()).space, 'cmyk');
  near(colourAt(await decodeImage(file(cmyk), { size }), size, [1, 2]), [200, 100, 20], 20);
  const grey = await plain('rgb(77, 77, 77)', 4, 4)
    .removeAlpha()
    .toColourspace('b-w')
    .jpeg({ quality: 100 })
    .toBuffer();
  assert.equal((await sharp(grey).metadata()).channels, 1);
  near(colourAt(await decodeImage(file(grey), { size }), size, [0, 0]), [77, 77, 77], 1);
});

test('transparency is laid on white', async () => {
  const half = await sharp({
    create: { height: 4, width: 4, channels: 4, background: { r: 200, g: 0, b: 0, alpha: 0.5 } },
  })
    .png()
    .toBuffer();
  const image = await decodeImage(file(half), { size: [4, 4] });
  near(colourAt(image, [4, 4], [2, 2]), [228, 128, 128], 2);
});

test('one channel gives grey, with the brightness of the colours', async () => {
  const image = await decodeImage(file(await plain('white', 3, 3).png().toBuffer()), {
    size: [3, 3],
    channels: 1,
  });
  assert.deepEqual([...image], new Array(9).fill(255));
  const blue = await decodeImage(file(await plain('rgb(0,0,255)', 3, 3).png().toBuffer()), {
    size: [3, 3],
    channels: 1,
  });
  assert.ok(blue[0]! > 10 && blue[0]! < 80);
});

test('EXIF orientation is obeyed: a picture stored on its side comes out upright', async () => {
  // Orientation 6: turn by 90 degrees clockwise to show, so left (red) becomes top.
  const bytes = await redBlue(8, 8).withMetadata({ orientation: 6 }).png().toBuffer();
  const size = [8, 8] as const;
  const image = await decodeImage(file(bytes), { size });
  near(colourAt(image, size, [0, 4]), [255, 0, 0], 2);
  near(colourAt(image, size, [7, 4]), [0, 0, 255], 2);
  const long = file(await redBlue(10, 20).withMetadata({ orientation: 6 }).png().toBuffer());
  assert.deepEqual(await imageSize(long), [20, 10]);
});

test('crop keeps the middle, stretch keeps all, pad fills with white', async () => {
  // Green sides, the middle half red: 8 high, 16 wide.
  const pixels = Buffer.alloc(8 * 16 * 3);
  for (let i = 0; i < 8 * 16; i++) pixels[3 * i + (i % 16 >= 4 && i % 16 < 12 ? 0 : 1)] = 255;
  const path = file(
    await sharp(pixels, { raw: { height: 8, width: 16, channels: 3 } })
      .png()
      .toBuffer(),
  );
  const size = [8, 8] as const;
  const crop = await decodeImage(path, { size, resize: 'crop' });
  for (const x of [0, 4, 7]) near(colourAt(crop, size, [3, x]), [255, 0, 0], 2);
  const stretch = await decodeImage(path, { size, resize: 'stretch' });
  near(colourAt(stretch, size, [3, 0]), [0, 255, 0], 25);
  near(colourAt(stretch, size, [3, 4]), [255, 0, 0], 25);
  near(colourAt(stretch, size, [3, 7]), [0, 255, 0], 25);
  const pad = await decodeImage(path, { size, resize: 'pad' });
  near(colourAt(pad, size, [0, 4]), [255, 255, 255], 2);
  near(colourAt(pad, size, [7, 4]), [255, 255, 255], 2);
  near(colourAt(pad, size, [4, 4]), [255, 0, 0], 40);
  assert.deepEqual(crop, await decodeImage(path, { size }), 'crop is the default');
});

test('the content decides, not the name: a PNG called .JPEG is read', async () => {
  const path = file(await redBlue(4, 4).png().toBuffer(), 'really-a-png.JPEG');
  assert.equal((await decodeImage(path, { size: [4, 4] }))[0], 255);
});

test('a JPEG or PNG cut anywhere after its header is refused and named', async () => {
  const noisy = Buffer.from(Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 7919 + (i >> 3) * 31) & 255));
  const source = sharp(noisy, { raw: { height: 64, width: 64, channels: 3 } });
  for (const bytes of [await source.clone().jpeg().toBuffer(), await source.clone().png().toBuffer()])
    for (const part of [0, 0.01, 0.3, 0.9]) {
      const path = file(bytes.subarray(0, Math.floor(bytes.length * part)));
      const message = await refusal(decodeImage(path, { size: [32, 32] }));
      assert.ok(message.includes(path), message);
      assert.match(message, /an image that can be read to its end/);
    }
});

test('what is no image is refused', async () => {
  assert.match(
    await refusal(decodeImage(file(Buffer.from('<html>404</html>')), { size: [4, 4] })),
    /a broken one/,
  );
  assert.match(await refusal(decodeImage(file(Buffer.alloc(0)), { size: [4, 4] })), /an empty file/);
  assert.match(await refusal(decodeImage(join(folder, 'gone.jpg'), { size: [4, 4] })), /received no file/);
});

test('sizes, rules and channels that make no sense are refused', async () => {
  const path = file(await redBlue(4, 4).png().toBuffer());
  for (const size of [
    [0, 4],
    [4, -1],
    [4, 2.5],
    [4, Number.NaN],
    [1e6, 4],
  ] as const)
    assert.match(await refusal(decodeImage(path, { size })), /height and a width from 1 to 4096/);
  assert.match(
    await refusal(decodeImage(path, JSON.parse('{"size":[4,4],"resize":"fit"}'))),
    /crop, stretch, pad/,
  );
  assert.match(await refusal(decodeImage(path, JSON.parse('{"size":[4,4],"channels":4}'))), /1 or 3/);
});

test('an image of another size is refused where none may be resized', async () => {
  const form: ImageForm = { size: [4, 4], resize: 'refuse' };
  assert.equal((await decodeImage(file(await redBlue(4, 4).png().toBuffer()), form)).length, 48);
  const path = file(await redBlue(4, 6).png().toBuffer());
  assert.match(await refusal(decodeImage(path, form)), /4x4 pixels .* received one of 4x6/);
});

test('many images keep their places, progress counts each, and all broken files are named at once', async () => {
  const files: string[] = [];
  for (let i = 0; i < 40; i++) files.push(file(await plain(`rgb(${i}, 0, 0)`, 3, 3).png().toBuffer()));
  const seen: number[] = [];
  const { images } = await decodeImages({
    files,
    form: { size: [3, 3] },
    onProgress: (done, total) => seen.push(done, total),
  });
  assert.deepEqual(
    Array.from({ length: 40 }, (_, i) => images[i * 27]!),
    Array.from({ length: 40 }, (_, i) => i),
  );
  assert.deepEqual(seen, Array.from({ length: 40 }, (_, i) => [i + 1, 40]).flat());
  const broken = file(Buffer.from('no image'));
  const later = file(Buffer.alloc(0));
  const message = await refusal(
    decodeImages({ files: [files[0]!, broken, later, ...files], form: { size: [3, 3] } }),
  );
  assert.match(message, /received 2 broken ones of 43: /);
  for (const path of [broken, later]) assert.ok(message.includes(path), message);
});
