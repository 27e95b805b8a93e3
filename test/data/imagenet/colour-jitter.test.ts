/** Colours are torchvision's: scripts/golden/imagenet.py. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { colourDraws } from '../../../src/data/imagenet/colour-draws.js';
import {
  jitterColours,
  mapsAfterReading,
  mapsWithoutReading,
} from '../../../src/data/imagenet/colour-jitter.js';
import { native } from '../../../src/engine/native.js';
import { tensor } from '../../../src/tensor/create.js';
import { noise } from '../../../src/tensor/noise.js';
import { assertClose } from '../../support/close.js';
import { golden } from '../../support/golden-images.js';

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

  it('are mapped alike where the mean colours stay on the device', () => {
    const strong = { brightness: 0.4, contrast: 0.9, saturation: 0.6, lighting: 0.1 };
    const draws = cases.map((each) => each.draws);
    const means = noise('uniform', { key: { seed: 0, stream: 'bench' }, ids: [...draws.keys()], shape: [3] });
    const read = mapsAfterReading(strong, draws, means);
    const before = native().readCount();
    const kept = mapsWithoutReading(strong, draws, means);
    assert.equal(native().readCount(), before);
    assert.deepEqual(kept.matrices.numbers(), read.matrices.numbers());
    const tolerance = { relative: 0, absolute: 2e-7 }; // of float32
    assertClose(kept.shifts.numbers(), read.shifts.numbers(), tolerance, 'shifts');
    assert.ok(Math.max(...read.shifts.numbers()) > 0.1);
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
