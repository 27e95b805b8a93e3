import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InputError } from '../../src/errors.js';
import { holm, mcnemar, wilsonInterval } from '../../src/evaluation/statistics.js';
import { assertClose, double } from '../support/close.js';

describe('statistics', () => {
  it('Wilson’s interval is the published one', () => {
    // Newcombe (1998), Statistics in Medicine 17, table I, method 3
    for (const [successes, trials, low, high] of [
      [81, 263, 0.2553, 0.3662],
      [15, 148, 0.0624, 0.1605],
      [0, 20, 0, 0.1611],
      [1, 29, 0.0061, 0.1718],
    ] as const) {
      const interval = wilsonInterval(successes, trials).map((bound) => Number(bound.toFixed(4)));
      assert.deepEqual(interval, [low, high], `${successes} of ${trials}`);
    }
  });

  it('Wilson’s bounds are where the share lies 1.96 standard errors away', () => {
    for (const [successes, trials] of [
      [1, 3],
      [500, 1000],
      [701, 1000],
      [9_999, 10_000],
    ] as const)
      for (const bound of wilsonInterval(successes, trials)) {
        const distance = Math.abs(successes / trials - bound) / Math.sqrt((bound * (1 - bound)) / trials);
        assert.ok(Math.abs(distance - 1.959964) < 1e-6, `${bound}: ${distance}`);
      }
    assert.deepEqual(wilsonInterval(0, 0), [0, 1]);
    assert.equal(wilsonInterval(7, 7)[1], 1);
    for (const [successes, trials] of [
      [-1, 3],
      [4, 3],
      [1.5, 3],
      [Number.NaN, 3],
    ] as const)
      assert.throws(() => wilsonInterval(successes, trials), InputError);
  });

  it('McNemar’s test is exact', () => {
    /** Twice the sum of the binomial coefficients up to the smaller number, over 2^n, in whole numbers. */
    const exact = (a: number, b: number) => {
      const trials = BigInt(a + b);
      let [coefficient, sum] = [1n, 1n];
      for (let k = 1n; k <= BigInt(Math.min(a, b)); k++) {
        coefficient = (coefficient * (trials - k + 1n)) / k;
        sum += coefficient;
      }
      const digits = 10n ** 30n;
      return Math.min(1, Number((2n * sum * digits) / 2n ** trials) / 1e30);
    };
    assert.equal(exact(1, 6), 0.125); // 2 (1 + 7) / 2^7
    for (const [a, b] of [
      [0, 0],
      [0, 5],
      [1, 6],
      [6, 1],
      [10, 10],
      [9, 10],
      [3, 30],
      [400, 500],
      [900, 1100],
      [0, 60],
    ] as const)
      assertClose([mcnemar(a, b)], [exact(a, b)], { relative: 1e-9, absolute: 1e-25 }, `${a}, ${b}`);
  });

  it('Holm’s p-values are the step-down ones, in the order given', () => {
    // Sorted 0.005, 0.01, 0.03, 0.04, times 4, 3, 2, 1: 0.02, 0.03, 0.06, 0.04, and the last is raised to 0.06.
    assertClose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02], double, 'four');
    assert.deepEqual([holm([0.5, 0.9]), holm([0.2]), holm([])], [[1, 1], [0.2], []]);
  });
});
