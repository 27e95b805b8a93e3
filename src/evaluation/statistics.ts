import { InputError } from '../errors.js';
import { requireArgument } from '../user-input/require-argument.js';

/** The 0.975 quantile of the standard normal distribution. */
const z = 1.959963984540054;

/**
 * Wilson 95 % score interval of the proportion `successes` / `trials` (Wilson, 1927). Unlike the normal approximation
 * it stays inside [0, 1] and is accurate near the ends. [0, 1] without trials.
 */
export function wilsonInterval(successes: number, trials: number): [low: number, high: number] {
  if (!Number.isInteger(successes) || !Number.isInteger(trials) || successes < 0 || successes > trials)
    throw InputError.expected('whole numbers, 0 ≤ successes ≤ trials,', 'wilsonInterval', [
      successes,
      trials,
    ]);
  if (trials === 0) return [0, 1];
  const share = successes / trials;
  const denominator = 1 + z ** 2 / trials;
  const centre = (share + z ** 2 / (2 * trials)) / denominator;
  const half = (z * Math.sqrt((share * (1 - share)) / trials + z ** 2 / (4 * trials ** 2))) / denominator;
  // The bounds at 0 and 1 are exact, whatever the rounding.
  return [
    successes === 0 ? 0 : Math.max(0, centre - half),
    successes === trials ? 1 : Math.min(1, centre + half),
  ];
}

/**
 * Exact two-sided McNemar test of two networks on the same examples: the probability under Binomial(n, 1/2) of a split
 * at least as uneven as `onlyFirst` to `onlyOther`, the numbers of examples that only one of them classifies correctly.
 */
export function mcnemar(onlyFirst: number, onlyOther: number): number {
  requireArgument(onlyFirst, 'whole', 'mcnemar');
  requireArgument(onlyOther, 'whole', 'mcnemar');
  const trials = onlyFirst + onlyOther;
  const fewer = Math.min(onlyFirst, onlyOther);
  // Summing the binomial coefficients in log space avoids overflow for any number of examples.
  let logTerm = -trials * Math.LN2;
  let tail = Math.exp(logTerm);
  for (let k = 1; k <= fewer; k++) {
    logTerm += Math.log(trials - k + 1) - Math.log(k);
    tail += Math.exp(logTerm);
  }
  return Math.min(1, 2 * tail);
}

/**
 * Holm's adjusted p-values (Holm, 1979), in the order given: of m tests sorted by p-value, the k-th (from 0) is
 * multiplied by m − k, and none is smaller than one before it. Rejecting those below α keeps the probability of one
 * or more false rejections below α.
 */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((_, index) => index).sort((a, b) => pValues[a]! - pValues[b]!);
  const adjusted = new Array<number>(pValues.length);
  let largest = 0;
  for (const [rank, index] of order.entries()) {
    largest = Math.min(1, Math.max(largest, (pValues.length - rank) * pValues[index]!));
    adjusted[index] = largest;
  }
  return adjusted;
}
