/** Square's sizes, bumps and images are those of the reference implementation for the same draws. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bumpProfile, changeWindows } from '../../../src/attacks/square/l2.js';
import { changeSquare } from '../../../src/attacks/square/linf.js';
import { squareSide } from '../../../src/attacks/square/square.js';
import { either, type SquareWindow } from '../../../src/attacks/square/window.js';
import { setThreads } from '../../../src/engine/engine-info.js';
import { integers, tensor } from '../../../src/tensor/create.js';
import { scope } from '../../../src/tensor/scope.js';
import { assertClose } from '../../support/close.js';
import { fromGolden } from '../../support/golden.js';
import { golden } from '../../support/reference-traces.js';

setThreads(1);

describe('Square', () => {
  for (const { norm, height, width, sides } of golden.squareSchedules)
    it(`changes squares of the reference's size, query by query: ${norm}, ${height} x ${width}`, () => {
      const expected = sides.flatMap(([side, count]) => Array.from({ length: count }, () => side));
      assert.equal(expected.length, 5000);
      const found = expected.map((_, query) => squareSide(query, { height, width, norm }));
      assert.deepEqual(found, expected);
    });

  it('in L2 uses the bumps of the reference', () => {
    for (const { side, bump } of golden.squareBumps)
      assertClose(bumpProfile(side), bump.values, { relative: 0, absolute: 1e-14 }, `side ${side}`);
  });

  for (const { norm, epsilon, side, x: image, start, queries } of golden.squareMoves)
    it(`with the reference's draws makes the reference's images: ${norm}`, () =>
      scope(() => {
        const x = fromGolden(image, 'float64');
        const place = (at: number) => integers([at, at]).reshape([2, 1, 1, 1]);
        const window = (top: number, left: number): SquareWindow => ({
          side,
          top: place(top),
          left: place(left),
        });
        let best = fromGolden(start, 'float64');
        assert.equal(queries.length, 4);
        for (const { places, signs: stored, flipped, image: expected } of queries) {
          const signs = fromGolden(stored, 'float64');
          const [top, left, otherTop, otherLeft] = places as [number, number, number, number];
          if (norm === 'linf')
            best = changeSquare({ x, best }, { window: window(top, left), signs, epsilon });
          else {
            const upright = tensor(Float64Array.from(bumpProfile(side)), [side, side]);
            const coin = integers([flipped ? 0 : 1, flipped ? 0 : 1])
              .ne(0)
              .reshape([2, 1, 1, 1]);
            const bump = either(coin, upright, upright.transpose(0, 1)).mul(signs);
            const windows = { to: window(top, left), from: window(otherTop, otherLeft) };
            best = changeWindows({ x, best }, { ...windows, bump, epsilon });
          }
          assertClose(best.numbers(), expected.values, { relative: 0, absolute: 1e-12 }, 'image');
        }
      }));
});
