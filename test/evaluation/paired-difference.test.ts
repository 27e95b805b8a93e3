/** Paired differences against SciPy 1.17.1: stats.t.ppf, 2 stats.t.sf, stats.ttest_1samp. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InputError } from '../../src/errors.js';
import { pairedDifference, studentQuantile, tails } from '../../src/evaluation/paired-difference.js';

const close = (found: number, expected: number) =>
  assert.ok(Math.abs(found - expected) <= 1e-11 * Math.max(1, expected), `${found} instead of ${expected}`);

describe("Student's distribution", () => {
  for (const [probability, freedom, quantile] of [
    [0.975, 1, 12.706204736174694],
    [0.975, 2, 4.302652729749462],
    [0.975, 3, 3.1824463052837078],
    [0.975, 7, 2.364624251592784],
    [0.975, 30, 2.0422724563012378],
    [0.9, 5, 1.4758840488244815],
  ] as const)
    it(`has SciPy's quantile: ${probability}, ${freedom}`, () =>
      close(studentQuantile(probability, freedom), quantile));

  for (const [t, freedom, probability] of [
    [0, 3, 1],
    [1, 1, 0.5],
    [2.5, 2, 0.12961172022151082],
    [-3, 3, 0.0576688856224373],
    [4.2, 6, 0.005685809342101466],
    [12, 9, 7.699886222985653e-7],
    [1.7, 41, 0.09670636782000926],
    [0.3, 40, 0.7657307167710191],
  ] as const)
    it(`has SciPy's tails: ${t}, ${freedom}`, () => close(tails(t, freedom), probability));
});

describe('a paired difference', () => {
  it("is SciPy's", () => {
    const { mean, interval, pValue, pairs } = pairedDifference([0.1, -0.4, 0.25, 0.9, 0.3]);
    close(mean, 0.23);
    close(interval![0], -0.3484075536526754);
    close(interval![1], 0.8084075536526754);
    close(pValue!, 0.3315238433347774);
    assert.equal(pairs, 5);
  });

  it('of one pair has no interval', () => {
    assert.deepEqual(pairedDifference([0.2]), { mean: 0.2, interval: null, pValue: null, pairs: 1 });
  });

  it('of equal differences is a point', () => {
    assert.deepEqual(pairedDifference([0, 0]), { mean: 0, interval: [0, 0], pValue: 1, pairs: 2 });
    assert.equal(pairedDifference([0.5, 0.5]).pValue, 0);
  });

  it('of none, or of what is no number, is refused', () => {
    assert.throws(() => pairedDifference([]), InputError);
    assert.throws(() => pairedDifference([1, Number.NaN]), InputError);
  });
});
