/** Crops, resized pixels and colours are those of torchvision and Pillow: scripts/golden/imagenet.py. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { colourDraws, jitterColours } from '../../../src/data/imagenet/colour-jitter.js';
import { centreView, randomView, viewDraws } from '../../../src/data/imagenet/crop.js';
import { tensor } from '../../../src/tensor/create.js';
import { type Filter, resample } from '../../../src/tensor/resample.js';

type Pair = readonly [number, number];
interface Golden {
  readonly crops: readonly {
    readonly size: Pair;
    readonly scale: Pair;
    readonly ratio: Pair;
    readonly draws: readonly number[];
    readonly box: readonly number[];
  }[];
  readonly resized: readonly {
    readonly size: Pair;
    readonly full: Pair;
    readonly window: readonly [number, number, number, number];
    readonly filter: Filter;
    readonly pixels: readonly number[];
    readonly bytes: readonly number[];
  }[];
  readonly centred: readonly {
    readonly size: Pair;
    readonly resize: number;
    readonly crop: number;
    readonly full: Pair;
    readonly window: readonly number[];
  }[];
  readonly colours: {
    readonly pixels: readonly number[];
    readonly cases: readonly { readonly draws: readonly number[]; readonly pixels: readonly number[] }[];
  };
}

const file = new URL('../../../../test/golden/imagenet.json', import.meta.url);
const golden = JSON.parse(readFileSync(fileURLToPath(file), 'utf8')) as Golden;
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
  });
});

describe('colours', () => {
  const options = { brightness: 0.2, contrast: 0.2, saturation: 0.2, lighting: 0.1 };
  const { pixels, cases } = golden.colours;

  it('are those of torchvision, in the order that is drawn, for each image its own', () => {
    const count = cases.length;
    assert.ok(count >= 6);
    assert.equal(cases[0]!.draws.length, colourDraws);
    const batch = Float32Array.from(cases.flatMap(() => pixels));
    const changed = jitterColours(
      tensor(batch, [count, 3, 4, 4]),
      options,
      cases.map(({ draws }) => draws),
    ).numbers();
    const expected = cases.flatMap((each) => each.pixels);
    const worst = Math.max(...expected.map((value, at) => Math.abs(value - changed[at]!)));
    assert.ok(worst < 1e-6, `${worst}`);
  });

  it('stay in [0, 1], and are left alone where all is off', () => {
    const x = tensor(
      Float32Array.from(pixels, (value) => (value > 0.5 ? 1 : 0)),
      [1, 3, 4, 4],
    );
    const jittered = jitterColours(x, { ...options, brightness: 1 }, [new Array(colourDraws).fill(0.99)]);
    const values = jittered.numbers();
    assert.equal(Math.max(...values), 1);
    assert.ok(Math.min(...values) >= 0);
    const off = { brightness: 0, contrast: 0, saturation: 0, lighting: 0 };
    assert.equal(jitterColours(x, off, [new Array(colourDraws).fill(0.9)]), x);
  });
});
