/** Colours are torchvision's: scripts/golden/imagenet.py. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { colourDraws, jitterColours } from '../../../src/data/imagenet/colour-jitter.js';
import { tensor } from '../../../src/tensor/create.js';
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
