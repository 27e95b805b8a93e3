/** Square in L1 has the bumps of the reference implementation, and makes its images of the same draws. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { bumpProfile, changeWindows } from '../../../src/attacks/square/bumps.js';
import { l1Bumps } from '../../../src/attacks/square/l1.js';
import { squareSide } from '../../../src/attacks/square/square.js';
import { selectPerExample } from '../../../src/attacks/square/window.js';
import { setThreads } from '../../../src/engine/engine-info.js';
import { integers, tensor, zerosLike } from '../../../src/tensor/create.js';
import { pad } from '../../../src/tensor/functional.js';
import { scope } from '../../../src/tensor/scope.js';
import { assertClose } from '../../support/close.js';
import { fromGolden, type GoldenTensor } from '../../support/golden.js';
import { l1Golden } from '../../support/l1-traces.js';
import { windowAt } from '../../support/reference-traces.js';

setThreads(1);

it('the bumps and the sides are those of the reference', () => {
  for (const { side, bump } of l1Golden.squareBumps)
    assertClose(bumpProfile(l1Bumps, side), bump.values, { relative: 0, absolute: 1e-14 }, `side ${side}`);
  for (const { height, width, sides } of l1Golden.squareSchedules)
    assert.deepEqual(
      sides.map((_, query) => squareSide(query, { height, width, norm: 'l1' })),
      sides,
    );
});

/** A bump of the reference's draw for two images, [2, 2, s, s]. */
function drawn(
  { signs, flipped }: { readonly signs: GoldenTensor; readonly flipped: boolean },
  side: number,
) {
  const upright = tensor(Float64Array.from(bumpProfile(l1Bumps, side)), [side, side]);
  const isUpright = integers([flipped ? 0 : 1, flipped ? 0 : 1])
    .ne(0)
    .reshape([2, 1, 1, 1]);
  return selectPerExample(isUpright, upright, upright.transpose(0, 1)).mul(fromGolden(signs, 'float64'));
}

for (const { epsilon, side, x: image, tiles, start, queries } of l1Golden.squareMoves)
  it(`the reference's draws make the reference's images: ε = ${epsilon}`, () =>
    scope(() => {
      const x = fromGolden(image, 'float64');
      let step = zerosLike(x);
      for (const [tile, draw] of tiles.entries()) {
        const [row, column] = [2 * Math.floor(tile / 5), 2 * (tile % 5)];
        step = step.add(pad(drawn(draw, 2), [column, 8 - column, row, 8 - row]));
      }
      let best = l1Bumps.finish(x, step, epsilon);
      assertClose(best.numbers(), start.values, { relative: 0, absolute: 1e-12 }, 'start');
      assert.equal(queries.length, 4);
      for (const { places, image: expected, ...draw } of queries) {
        const [top, left, otherTop, otherLeft] = places as [number, number, number, number];
        const windows = { to: windowAt(side, top, left), from: windowAt(side, otherTop, otherLeft) };
        best = changeWindows(l1Bumps, { x, best }, { ...windows, bump: drawn(draw, side), epsilon });
        assertClose(best.numbers(), expected.values, { relative: 0, absolute: 1e-12 }, 'image');
      }
    }));
