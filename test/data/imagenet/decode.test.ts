/** Odd images of ImageNet: CMYK, grey, rotated, transparent, large. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { centreView } from '../../../src/data/imagenet/crop.js';
import { decodeView } from '../../../src/data/imagenet/decode.js';
import { picture, raw } from '../../support/small-imagenet.js';

describe('odd images', () => {
  const viewOf = (size: readonly [number, number]) => centreView(size, { resize: 24, size: 24 });
  const decode = async (encoded: Buffer, decoding: 'exact' | 'fast' = 'exact') => {
    const target = new Uint8Array(3 * 24 * 24);
    await decodeView(encoded, { viewOf, filter: 'bilinear', decoding, target, offset: 0 });
    return target;
  };
  /** The middle 24 columns, as planes. */
  const expected = (pixel: (at: number, channel: number) => number) =>
    Uint8Array.from({ length: 3 * 24 * 24 }, (_, at) => {
      const [channel, y, x] = [Math.floor(at / 576), Math.floor((at % 576) / 24), at % 24];
      return pixel((y * 30 + x + 3) * 3, channel);
    });
  const pixels = picture(1);

  it('are read by their content, without alpha, orientation or colour profile', async () => {
    const plain = expected((at, channel) => pixels[at + channel]!);
    assert.deepEqual(await decode(await raw(1).png().toBuffer()), plain);
    const see = Buffer.from(
      Array.from({ length: 24 * 30 * 4 }, (_, at) =>
        at % 4 === 3 ? at % 200 : pixels[3 * Math.floor(at / 4) + (at % 4)]!,
      ),
    );
    const alpha = sharp(see, { raw: { height: 24, width: 30, channels: 4 } });
    assert.deepEqual(await decode(await alpha.png().toBuffer()), plain);
    const turned = await raw(1).withMetadata({ orientation: 6 }).png().toBuffer();
    assert.deepEqual(await decode(turned), plain);
    const profiled = await raw(1).withIccProfile('p3', { attach: true }).png().toBuffer();
    const ignored = await sharp(profiled, { ignoreIcc: true }).raw().toBuffer();
    assert.deepEqual(
      await decode(profiled),
      expected((at, channel) => ignored[at + channel]!),
    );
  });

  it('of one channel become three equal ones', async () => {
    const grey = await raw(1).greyscale().toColourspace('b-w').raw().toBuffer();
    const encoded = await sharp(grey, { raw: { height: 24, width: 30, channels: 1 } })
      .png()
      .toBuffer();
    assert.deepEqual(
      await decode(encoded),
      expected((at) => grey[at / 3]!),
    );
  });

  it('of four inks become what Pillow makes of them', async () => {
    const encoded = await raw(1).toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer();
    const inks = await sharp(encoded, { ignoreIcc: true })
      .pipelineColourspace('cmyk')
      .toColourspace('cmyk')
      .raw()
      .toBuffer();
    assert.equal(inks.length, 24 * 30 * 4);
    const found = await decode(encoded);
    const arithmetic = expected((at, channel) => {
      const light = 255 - inks[(at / 3) * 4 + 3]!;
      return light - Math.round((inks[(at / 3) * 4 + channel]! * light) / 255);
    });
    assert.deepEqual(found, arithmetic);
  });

  it('that are large are shrunk while they are decoded, where that is asked for', async () => {
    const large = await raw(1).resize(300, 240).jpeg().toBuffer();
    const [exact, fast] = [await decode(large), await decode(large, 'fast')];
    const difference = exact.reduce((sum, value, at) => sum + Math.abs(value - fast[at]!), 0) / exact.length;
    assert.ok(difference > 0 && difference < 6, `${difference}`);
  });
});
