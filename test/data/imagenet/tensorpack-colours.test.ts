/** Colours are tensorpack's: scripts/golden/opencv_tensorpack.py. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { colourDraws } from '../../../src/data/imagenet/colour-draws.js';
import { tensorpackColours } from '../../../src/data/imagenet/tensorpack-colours.js';
import { native } from '../../../src/engine/native.js';
import { tensor } from '../../../src/tensor/create.js';
import { readGolden } from '../../support/golden.js';

const { colours } = readGolden<{
  readonly colours: readonly {
    readonly size: readonly [height: number, width: number];
    readonly draws: readonly number[];
    readonly pixels: readonly number[];
    readonly bytes: readonly number[];
  }[];
}>('tensorpack');

const options = { brightness: 0.4, contrast: 0.4, saturation: 0.4, lighting: 0.1 };
const [height, width] = colours[0]!.size;
const bytes = tensor(Uint8Array.from(colours.flatMap(({ pixels }) => pixels)), [
  colours.length,
  3,
  height,
  width,
]);
const draws = colours.map((each) => each.draws);

describe('colours of tensorpack', () => {
  it('are its bytes, in the order that is drawn, for each image its own: off by 1 in one of a hundred at most', () => {
    const before = native().readCount();
    const changed = tensorpackColours(bytes, options, draws);
    assert.equal(native().readCount(), before);
    const expected = colours.flatMap((each) => each.bytes);
    const differences = Array.from(changed.numbers(), (value, at) => Math.abs(value - expected[at]!));
    assert.ok(Math.max(...differences) <= 1);
    assert.ok(differences.filter((each) => each > 0).length <= 0.01 * differences.length);
    assert.ok(expected.includes(0) && expected.includes(255), 'both ends are clipped in some image');
  });

  it('are those of an image alone', () => {
    const together = tensorpackColours(bytes, options, draws).numbers();
    const area = 3 * height * width;
    for (const [image, draw] of draws.entries())
      assert.deepEqual(
        tensorpackColours(bytes.narrow(0, image, 1), options, [draw]).numbers(),
        together.slice(image * area, (image + 1) * area),
      );
  });

  it('are left alone where all is off, and by a step that is off', () => {
    const off = { brightness: 0, contrast: 0, saturation: 0, lighting: 0 };
    const same = bytes.numbers();
    assert.deepEqual(tensorpackColours(bytes, off, draws).numbers(), same);
    const middle = new Array(colourDraws).fill(0.5);
    // Factors of 1, and u = 1/2 with v = 1/4 for normal numbers of 0.
    const still = middle.map((value, at) => (at > 6 && at % 2 === 1 ? 0.25 : value));
    const all = draws.map(() => still);
    assert.deepEqual(tensorpackColours(bytes, options, all).numbers(), same);
  });
});
