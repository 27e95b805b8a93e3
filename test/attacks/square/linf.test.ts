/** Square in L∞ makes the images of the reference implementation of the same draws. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { changeSquare } from '../../../src/attacks/square/linf.js';
import { setThreads } from '../../../src/engine/engine-info.js';
import { scope } from '../../../src/tensor/scope.js';
import { assertClose } from '../../support/close.js';
import { fromGolden } from '../../support/golden.js';
import { squareMove, windowAt } from '../../support/reference-traces.js';

setThreads(1);

it("the reference's draws make the reference's images", () =>
  scope(() => {
    const { epsilon, side, x: image, start, queries } = squareMove('linf');
    const x = fromGolden(image, 'float64');
    let best = fromGolden(start, 'float64');
    assert.equal(queries.length, 4);
    for (const { places, signs, image: expected } of queries) {
      const window = windowAt(side, places[0]!, places[1]!);
      best = changeSquare({ x, best }, { window, signs: fromGolden(signs, 'float64'), epsilon });
      assertClose(best.numbers(), expected.values, { relative: 0, absolute: 1e-12 }, 'image');
    }
  }));
