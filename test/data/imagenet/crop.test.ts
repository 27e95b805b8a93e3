/** Crops are those of torchvision: scripts/golden/imagenet.py. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { centreView, randomView, viewDraws } from '../../../src/data/imagenet/crop.js';
import { readGolden } from '../../support/golden.js';
import { golden } from '../../support/golden-images.js';

/** Of scripts/golden/tensorflow_checkpoints.py. */
interface GoldenView {
  readonly height: number;
  readonly width: number;
  readonly size: number;
  readonly tensorpack: { readonly full: readonly number[]; readonly corner: readonly number[] };
  readonly tpu: { readonly side: number; readonly corner: readonly number[] };
}

const numbersOf = ({ top, left, height, width }: Record<'top' | 'left' | 'height' | 'width', number>) => [
  top,
  left,
  height,
  width,
];

describe('what is seen of an image', () => {
  it('are the crops of RandomResizedCrop for the same draws, and the middle after ten tries', () => {
    assert.ok(golden.crops.length >= 16);
    for (const { size, scale, ratio, draws, box } of golden.crops) {
      const view = randomView(size, { scale, ratio, draws: [...draws, 0.5], size: 8, flip: true });
      assert.deepEqual(numbersOf(view.box), box, `${size} ${scale}`);
      assert.equal(view.flip, false);
    }
    assert.ok(golden.crops.some(({ size, box }) => size[1] / size[0] > 4 && box[2] === size[0]));
  });

  it('is mirrored for half of the draws, and never without flip', () => {
    const draws = new Array<number>(viewDraws).fill(0.49);
    const options = { scale: [0.5, 1], ratio: [1, 1], draws, size: 8 } as const;
    assert.equal(randomView([20, 20], { ...options, flip: true }).flip, true);
    assert.equal(randomView([20, 20], { ...options, flip: false }).flip, false);
  });

  it('is, in evaluation, what Resize and CenterCrop leave', () => {
    for (const { size, resize, crop, full, window } of golden.centred) {
      const view = centreView(size, { resize, size: crop });
      assert.deepEqual([view.full, numbersOf(view.window)], [full, window]);
    }
  });

  it('is what tensorpack leaves, and what the TPU code crops first, where that is asked for', () => {
    const { views } = readGolden<{ views: readonly GoldenView[] }>('tensorflow');
    assert.equal(views.length, 21);
    for (const { height, width, size, tensorpack, tpu } of views) {
      const form = { resize: size + 32, size };
      const resized = centreView([height, width], { ...form, centre: 'tensorpack' });
      assert.deepEqual(resized.full, tensorpack.full);
      assert.deepEqual(numbersOf(resized.window), [...tensorpack.corner, size, size]);
      assert.deepEqual(numbersOf(resized.box), [0, 0, height, width]);
      const cropped = centreView([height, width], { ...form, centre: 'tpu' });
      assert.deepEqual(numbersOf(cropped.box), [...tpu.corner, tpu.side, tpu.side]);
      assert.deepEqual(
        [cropped.full, numbersOf(cropped.window)],
        [
          [size, size],
          [0, 0, size, size],
        ],
      );
    }
    const differs = views.some(
      ({ height, width, size, tensorpack }) =>
        centreView([height, width], { resize: size + 32, size }).full.join() !== tensorpack.full.join(),
    );
    assert.ok(differs, 'torchvision rounds in another way');
  });
});
