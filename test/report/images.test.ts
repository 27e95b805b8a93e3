import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { magnification, magnifiedChange, pictureUrl } from '../../src/report/images.js';
import type { GalleryExample, Picture } from '../../src/report/input.js';

function example(image: Picture, adversarial: Picture): GalleryExample {
  const said = { class: 'Bag', probability: 0.5 };
  return {
    id: 1,
    label: 'Bag',
    image,
    networks: [{ name: 'ReLU', adversarial, clean: said, attacked: said }],
  };
}

/** The file's own channels; sharp hands grey out as three equal ones. */
async function pixels(url: string): Promise<{ channels: number; width: number; data: number[] }> {
  const [head = '', body = ''] = url.split(',');
  assert.equal(head, 'data:image/png;base64');
  const file = Buffer.from(body, 'base64');
  const { channels = 0, width = 0 } = await sharp(file).metadata();
  const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
  return { channels, width, data: [...data].filter((_, index) => index % info.channels < channels) };
}

describe('pictures', () => {
  it('keep every pixel, in rows of channels, rounded to bytes and clamped', async () => {
    const data = Float32Array.from([0, 1, 0.5, 2, 0.25, -1, 1, 0, 0, 1, 1, 0.2]); // [3, 2, 2]
    const colour = await pixels(await pictureUrl({ channels: 3, height: 2, width: 2, data }));
    assert.equal(colour.channels, 3);
    assert.deepEqual(colour.data, [0, 64, 0, 255, 0, 255, 128, 255, 255, 255, 0, 51]);
    const grey = await pixels(await pictureUrl({ channels: 1, height: 3, width: 4, data }));
    assert.equal(grey.channels, 1);
    assert.deepEqual(grey.data, [0, 255, 128, 255, 64, 0, 255, 0, 0, 255, 255, 51]);
  });

  it('above 128 pixels a side are shrunk without new colours', async () => {
    const data = Float32Array.from({ length: 300 * 200 }, (_, index) => index % 2);
    const { width, data: bytes } = await pixels(
      await pictureUrl({ channels: 1, height: 200, width: 300, data }),
    );
    assert.equal(width, 128);
    assert.deepEqual(
      [...new Set(bytes)].filter((byte) => byte !== 0 && byte !== 255),
      [],
    );
  });

  it('of a change show grey where nothing changed and reach black and white at the largest change', async () => {
    const image = { channels: 1, height: 1, width: 3, data: Float32Array.from([0.3, 0.3, 0.3]) };
    const adversarial = { ...image, data: Float32Array.from([0.3, 0.4, 0.2]) };
    const factor = magnification([example(image, adversarial)]);
    assert.equal(factor, 5);
    const { data } = await pixels(await pictureUrl(magnifiedChange(image, adversarial, factor)));
    assert.deepEqual(data, [128, 255, 0]);
  });

  it('are magnified by a factor that never clips', () => {
    const image = { channels: 1, height: 1, width: 1, data: Float32Array.of(0.1) };
    const changed = (value: number) =>
      magnification([example(image, { ...image, data: Float32Array.of(value) })]);
    assert.equal(changed(0.1), 1);
    assert.equal(changed(0.1 + 8 / 255), 15);
    assert.equal(changed(0.9), 0.5);
    assert.equal(magnification([]), 1);
  });
});
