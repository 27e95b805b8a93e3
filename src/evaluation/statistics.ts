import { InputError } from '../errors.js';

/** The 97.5 % point of the standard normal distribution. */
const z = 1.959963984540054;

/**
 * Wilson's 95 % interval of a share `successes` / `trials` (Wilson, 1927); it stays inside [0, 1] and is right near
 * its ends, where the usual ± is not. [0, 1] without trials.
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
  // At the ends the bounds are 0 and 1 to the last bit, whatever rounding did.
  return [
    successes === 0 ? 0 : Math.max(0, centre - half),
    successes === trials ? 1 : Math.min(1, centre + half),
  ];
}

/**
 * The exact two-sided McNemar test of two networks on the same examples: the probability that a fair coin falls at
 * least as unevenly as the `onlyFirst` and `onlyOther` examples that just one of them got right.
 */
export function mcnemar(onlyFirst: number, onlyOther: number): number {
  const trials = onlyFirst + onlyOther;
  const fewer = Math.min(onlyFirst, onlyOther);
  // log of the binomial coefficients, summed upwards: exact enough for any number of examples
  let logTerm = -trials * Math.LN2;
  let tail = Math.exp(logTerm);
  for (let k = 1; k <= fewer; k++) {
    logTerm += Math.log(trials - k + 1) - Math.log(k);
    tail += Math.exp(logTerm);
  }
  return Math.min(1, 2 * tail);
}
