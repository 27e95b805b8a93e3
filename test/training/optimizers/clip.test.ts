/** Clipped gradients against PyTorch's (test/golden/adam.json). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setThreads } from '../../../src/engine/engine-info.js';
import { native } from '../../../src/engine/native.js';
import { tensor } from '../../../src/tensor/create.js';
import { scope } from '../../../src/tensor/scope.js';
import { clipNorm, clipWithoutReading } from '../../../src/training/optimizers/clip.js';
import { assertClose, double } from '../../support/close.js';

setThreads(1);

describe('clipping gradients', () => {
  const slopes = () => [tensor(Float64Array.of(3, 0), [1, 2]), tensor(Float64Array.of(-4), [1])];

  for (const clip of [clipNorm, clipWithoutReading]) {
    it(`scales all of them by one factor to the limit, and answers the norm before: ${clip.name}`, () =>
      scope(() => {
        const both = slopes();
        assert.equal(clip(both, 1).item(), 5);
        const factor = 1 / (5 + 1e-6);
        assertClose(both[0]!.numbers(), [3 * factor, 0], double, 'first');
        assertClose(both[1]!.numbers(), [-4 * factor], double, 'second');
      }));

    it(`leaves those within the limit, and those that are not finite, to the bit: ${clip.name}`, () =>
      scope(() => {
        const both = slopes();
        assert.equal(clip(both, 5.1).item(), 5);
        assert.deepEqual([...both[0]!.numbers(), ...both[1]!.numbers()], [3, 0, -4]);
        const broken = [...slopes(), tensor(Float64Array.of(Number.POSITIVE_INFINITY), [1])];
        assert.equal(clip(broken, 1).item(), Number.POSITIVE_INFINITY);
        assert.deepEqual([...broken[0]!.numbers()], [3, 0]);
        assert.ok(Number.isNaN(clip([tensor(Float64Array.of(Number.NaN), [1])], 1).item()));
      }));
  }

  it('on a card reads nothing', () =>
    scope(() => {
      const both = slopes();
      const before = native().readCount();
      clipWithoutReading(both, 1);
      assert.equal(native().readCount(), before);
    }));
});
