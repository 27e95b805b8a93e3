/** Resized pixels are Pillow's and OpenCV's: scripts/golden/imagenet.py and opencv_tensorpack.py. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { resample } from '../../src/tensor/resample.js';
import { readGolden } from '../support/golden.js';
import { golden } from '../support/golden-images.js';

const { resized } = readGolden<{
  readonly resized: readonly Omit<(typeof golden.resized)[number], 'filter'>[];
}>('tensorpack');

describe('resizing', () => {
  it('equals Pillow to the bit, mirrored too', async () => {
    for (const { size, full, window, filter, pixels, bytes } of golden.resized) {
      const [top, left, height, width] = window;
      const how = { size, full, window: { top, left, height, width }, filter };
      const target = new Uint8Array(bytes.length + 2);
      const run = (flip: boolean) =>
        resample(Uint8Array.from(pixels), { ...how, flip }, { target, offset: 1 });
      await run(false);
      assert.deepEqual([...target], [0, ...bytes, 0], `${size} to ${full} ${filter}`);
      await run(true);
      const mirrored = bytes.map((_, at) => bytes[at - (at % width) + (width - 1 - (at % width))]!);
      assert.deepEqual([...target], [0, ...mirrored, 0]);
    }
  });

  it('equals OpenCV within 1, mirrored too, and mostly to the bit', async () => {
    let [off, all] = [0, 0];
    for (const { size, full, window, pixels, bytes } of resized) {
      const [top, left, height, width] = window;
      const how = { size, full, window: { top, left, height, width }, filter: 'opencv-cubic' } as const;
      const run = async (flip: boolean) => {
        const target = new Uint8Array(bytes.length);
        await resample(Uint8Array.from(pixels), { ...how, flip }, { target, offset: 0 });
        return [...target];
      };
      const straight = await run(false);
      const differences = straight.map((value, at) => Math.abs(value - bytes[at]!));
      assert.ok(Math.max(...differences) <= 1, `${size} to ${full}`);
      off += differences.filter((each) => each > 0).length;
      all += bytes.length;
      const mirrored = straight.map((_, at) => straight[at - (at % width) + (width - 1 - (at % width))]!);
      assert.deepEqual(await run(true), mirrored);
    }
    assert.ok(off <= 0.005 * all, `${off} of ${all}`);
  });

  it('works on copies: arrays may be taken away while a thread reads', async () => {
    const window = { top: 0, left: 0, height: 900, width: 900 };
    const how = { size: [1500, 1500], full: [1000, 1000], window, filter: 'bicubic', flip: false } as const;
    const pixels = () => Uint8Array.from({ length: 1500 * 1500 * 3 }, (_, at) => (at * 7) % 256);
    const expected = new Uint8Array(3 * 900 * 900);
    await resample(pixels(), how, { target: expected, offset: 0 });
    const [input, target] = [pixels(), new Uint8Array(expected.length)];
    const resized = resample(input, how, { target, offset: 0 });
    structuredClone(input.buffer, { transfer: [input.buffer] });
    assert.equal(input.length, 0);
    await resized;
    assert.ok(Buffer.from(target).equals(expected));

    const taken = new Uint8Array(expected.length);
    const lost = resample(pixels(), how, { target: taken, offset: 0 });
    structuredClone(taken.buffer, { transfer: [taken.buffer] });
    await assert.rejects(lost, /Expected the target of an image to stay where it is/);
  });

  it('refuses sizes that do not fit', () => {
    const window = { top: 0, left: 0, height: 2, width: 2 };
    const how = { size: [2, 2], full: [2, 2], window, filter: 'bilinear', flip: false } as const;
    const place = { target: new Uint8Array(12), offset: 0 };
    assert.throws(() => resample(new Uint8Array(11), how, place), /12 bytes of pixels but received 11/);
    assert.throws(() => resample(new Uint8Array(12), how, { ...place, offset: 1 }), /room for the window/);
    assert.throws(
      () => resample(new Uint8Array(12), { ...how, window: { ...window, top: 1 } }, place),
      /a window within the resized image/,
    );
    const vast = { ...how, size: [65_535, 65_535] } as const;
    assert.throws(
      () => resample(new Uint8Array(12), vast, place),
      /at most 268402689 pixels before and after/,
    );
  });
});
