import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Augmentation, augment } from '../../src/data/augment.js';
import { toPixels } from '../../src/data/dataset-tensors.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { tensor } from '../../src/tensor/create.js';
import { noise } from '../../src/tensor/noise.js';
import { scope } from '../../src/tensor/scope.js';
import type { Tensor } from '../../src/tensor/tensor.js';

setThreads(1);

const [channels, height, width] = [2, 5, 4];
const size = channels * height * width;

/** Images in which every pixel differs from every other of its image, and none is 0. */
const images = (count: number): Tensor =>
  tensor(
    Uint8Array.from({ length: count * size }, (_, at) => 1 + ((at * 7 + Math.floor(at / size)) % 251)),
    [count, channels, height, width],
  );

interface Move {
  readonly mirrored: boolean;
  /** By how much the window lies right of and below the image's corner. */
  readonly right: number;
  readonly down: number;
}

/** One image mirrored, then seen through a window that was moved, black outside. */
function moved(image: ArrayLike<number>, { mirrored, right, down }: Move): number[] {
  const pixel = (channel: number, row: number, column: number) => {
    if (row < 0 || row >= height || column < 0 || column >= width) return 0;
    return image[(channel * height + row) * width + column]!;
  };
  const result: number[] = [];
  for (let channel = 0; channel < channels; channel++)
    for (let row = 0; row < height; row++)
      for (let column = 0; column < width; column++) {
        const seen = mirrored ? width - 1 - column : column;
        result.push(pixel(channel, row + down, seen + right));
      }
  return result;
}

/** What the draws of an example say, in the order flip, down, right. */
function moveOf(options: Augmentation, seed: number, epoch: number, id: number): Move {
  const [flip, down, right] = scope(() =>
    noise('uniform', {
      key: { seed, stream: 'augmentation', epoch },
      ids: [id],
      shape: [3],
      dtype: 'float64',
    }).numbers(),
  );
  const offset = (draw: number) => Math.floor(draw * (2 * options.crop + 1)) - options.crop;
  return { mirrored: options.flip && flip! < 0.5, down: offset(down!), right: offset(right!) };
}

function augmented(options: Augmentation, ids: readonly number[], epoch = 1, seed = 6): number[][] {
  return scope(() => {
    const numbers = augment(images(ids.length), { ...options, seed, epoch, ids }).numbers();
    return ids.map((_, row) => [...numbers.slice(row * size, (row + 1) * size)]);
  });
}

const choices: readonly Augmentation[] = [
  { flip: true, crop: 0 },
  { flip: false, crop: 2 },
  { flip: true, crop: 1 },
  { flip: true, crop: 4 },
];

describe('augmentation', () => {
  const ids = Array.from({ length: 60 }, (_, place) => 5 * place + 3);

  for (const options of choices)
    it(`with ${JSON.stringify(options)} moves whole batches as one image is moved in plain JavaScript`, () => {
      const originals = images(ids.length).numbers();
      const expected = ids.map((id, row) =>
        moved(originals.slice(row * size, (row + 1) * size), moveOf(options, 6, 1, id)),
      );
      assert.deepEqual(augmented(options, ids), expected);
    });

  it('mirrors half of the images and crops evenly', () => {
    const many = Array.from({ length: 3000 }, (_, id) => id);
    const moves = many.map((id) => moveOf({ flip: true, crop: 2 }, 6, 1, id));
    const mirrored = moves.filter((move) => move.mirrored).length;
    assert.ok(Math.abs(mirrored - 1500) < 4 * Math.sqrt(750), `${mirrored} of 3,000`);
    for (const shift of [-2, -1, 0, 1, 2])
      for (const side of ['right', 'down'] as const) {
        const count = moves.filter((move) => move[side] === shift).length;
        assert.ok(Math.abs(count - 600) < 4 * Math.sqrt(480), `${side} ${shift}: ${count} of 3,000`);
      }
  });

  it('depends on the example’s id, neither on the batch nor on the order', () => {
    const options = { flip: true, crop: 4 };
    const same = images(1).numbers();
    const alone = (id: number) =>
      scope(() => [
        ...augment(tensor(Uint8Array.from(same), [1, channels, height, width]), {
          ...options,
          seed: 6,
          epoch: 1,
          ids: [id],
        }).numbers(),
      ]);
    const together = scope(() => {
      const batch = tensor(Uint8Array.from([...same, ...same, ...same]), [3, channels, height, width]);
      return augment(batch, { ...options, seed: 6, epoch: 1, ids: [9, 2, 5] }).numbers();
    });
    for (const [row, id] of [9, 2, 5].entries())
      assert.deepEqual([...together.slice(row * size, (row + 1) * size)], alone(id));
  });

  it('differs from epoch to epoch and from seed to seed', () => {
    const options = { flip: true, crop: 4 };
    const first = augmented(options, ids);
    assert.deepEqual(augmented(options, ids), first);
    assert.notDeepEqual(augmented(options, ids, 2), first);
    assert.notDeepEqual(augmented(options, ids, 1, 7), first);
  });

  it('switched off leaves the images as they are', () => {
    scope(() => {
      const batch = images(3);
      const left = augment(batch, { flip: false, crop: 0, seed: 1, epoch: 1, ids: [1, 2, 3] });
      assert.equal(left, batch);
      assert.ok(!left.disposed);
    });
  });

  it('works on bytes and on pixels alike, and keeps the dtype', () => {
    scope(() => {
      const bytes = images(4);
      const options = { flip: true, crop: 2, seed: 1, epoch: 1, ids: [1, 2, 3, 4] };
      const [moved, pixels] = [augment(bytes, options), augment(toPixels(bytes), options)];
      assert.deepEqual([moved.dtype, pixels.dtype], ['uint8', 'float32']);
      assert.deepEqual(pixels.numbers(), toPixels(moved).numbers());
    });
  });
});
