/** Square in L2 has the bumps of the reference implementation, and makes its images of the same draws. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { bumpProfile, changeWindows } from '../../../src/attacks/square/bumps.js';
import { l2Bumps } from '../../../src/attacks/square/l2.js';
import { selectPerExample } from '../../../src/attacks/square/window.js';
import { setThreads } from '../../../src/engine/engine-info.js';
import { integers, tensor } from '../../../src/tensor/create.js';
import { scope } from '../../../src/tensor/scope.js';
import { assertClose } from '../../support/close.js';
import { fromGolden } from '../../support/golden.js';
import { golden, squareMove, windowAt } from '../../support/reference-traces.js';

setThreads(1);

it('the bumps are those of the reference', () => {
  for (const { side, bump } of golden.squareBumps)
    assertClose(bumpProfile(l2Bumps, side), bump.values, { relative: 0, absolute: 1e-14 }, `side ${side}`);
});

it("the reference's draws make the reference's images", () =>
  scope(() => {
    const { epsilon, side, x: image, start, queries } = squareMove('l2');
    const x = fromGolden(image, 'float64');
    let best = fromGolden(start, 'float64');
    assert.equal(queries.length, 4);
    for (const { places, signs, flipped, image: expected } of queries) {
      const [top, left, otherTop, otherLeft] = places as [number, number, number, number];
      const upright = tensor(Float64Array.from(bumpProfile(l2Bumps, side)), [side, side]);
      const coin = integers([flipped ? 0 : 1, flipped ? 0 : 1])
        .ne(0)
        .reshape([2, 1, 1, 1]);
      const bump = selectPerExample(coin, upright, upright.transpose(0, 1)).mul(fromGolden(signs, 'float64'));
      const windows = { to: windowAt(side, top, left), from: windowAt(side, otherTop, otherLeft) };
      best = changeWindows(l2Bumps, { x, best }, { ...windows, bump, epsilon });
      assertClose(best.numbers(), expected.values, { relative: 0, absolute: 1e-12 }, 'image');
    }
  }));
