/** Clipped gradients against PyTorch's (test/golden/adam.json). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setThreads } from '../../../src/engine/engine-info.js';
import { tensor } from '../../../src/tensor/create.js';
import { scope } from '../../../src/tensor/scope.js';
import { clipNorm } from '../../../src/training/optimizers/clip.js';
import { assertClose, double } from '../../support/close.js';

setThreads(1);

describe('clipping gradients', () => {
  const slopes = () => [tensor(Float64Array.of(3, 0), [1, 2]), tensor(Float64Array.of(-4), [1])];

  it('scales all of them by one factor to the limit, and answers the norm before', () =>
    scope(() => {
      const both = slopes();
      assert.equal(clipNorm(both, 1), 5);
      const factor = 1 / (5 + 1e-6);
      assertClose(both[0]!.numbers(), [3 * factor, 0], double, 'first');
      assertClose(both[1]!.numbers(), [-4 * factor], double, 'second');
    }));

  it('leaves those within the limit, and those that are not finite, to the bit', () =>
    scope(() => {
      const both = slopes();
      assert.equal(clipNorm(both, 5.1), 5);
      assert.deepEqual([...both[0]!.numbers(), ...both[1]!.numbers()], [3, 0, -4]);
      const broken = [...slopes(), tensor(Float64Array.of(Number.POSITIVE_INFINITY), [1])];
      assert.equal(clipNorm(broken, 1), Number.POSITIVE_INFINITY);
      assert.deepEqual([...broken[0]!.numbers()], [3, 0]);
      assert.ok(Number.isNaN(clipNorm([tensor(Float64Array.of(Number.NaN), [1])], 1)));
    }));
});
