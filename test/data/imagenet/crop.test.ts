/** Crops are those of torchvision: scripts/golden/imagenet.py. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { centreView, randomView, viewDraws } from '../../../src/data/imagenet/crop.js';
import { golden } from '../../support/golden-images.js';

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
});
