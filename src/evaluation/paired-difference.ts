import { InputError } from '../errors.js';

/** The mean of paired differences, and what chance says of it. */
export interface PairedDifference {
  /** Mean of the differences. */
  readonly mean: number;
  /** 95 % interval of the mean by Student's t; null for a single pair. */
  readonly interval: readonly [low: number, high: number] | null;
  /** Two-sided p-value of a mean of 0; null for a single pair. */
  readonly pValue: number | null;
  readonly pairs: number;
}

/**
 * Student's paired t-test and interval (Student, 1908): with n differences d of standard deviation s, mean(d) ± t s / √n, where
 * t is the 0.975 quantile with n − 1 degrees of freedom. Differences that are all equal give an interval of one point, and a
 * p-value of 0, or 1 if they are 0.
 *
 * @throws {InputError} without a difference, or for one that is not finite.
 */
export function pairedDifference(differences: readonly number[]): PairedDifference {
  const pairs = differences.length;
  if (pairs === 0 || !differences.every(Number.isFinite))
    throw InputError.expected('one or more finite differences', 'pairedDifference', differences);
  const mean = differences.reduce((sum, each) => sum + each, 0) / pairs;
  if (pairs === 1) return { mean, interval: null, pValue: null, pairs };
  const variance = differences.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (pairs - 1);
  const error = Math.sqrt(variance / pairs);
  const half = studentQuantile(0.975, pairs - 1) * error;
  const pValue = error === 0 ? (mean === 0 ? 1 : 0) : tails(mean / error, pairs - 1);
  return { mean, interval: [mean - half, mean + half], pValue, pairs };
}

/**
 * P(|T| ≥ |t|) of Student's distribution with a whole number of degrees of freedom, by its finite sums (Abramowitz and Stegun,
 * 26.7.3 and 26.7.4): with θ = atan(t / √ν), P(|T| < t) is sin θ (1 + cos²θ / 2 + 3 cos⁴θ / 8 + …) for even ν, and
 * 2/π (θ + sin θ (cos θ + 2 cos³θ / 3 + …)) for odd ν.
 */
export function tails(t: number, freedom: number): number {
  const theta = Math.atan(Math.abs(t) / Math.sqrt(freedom));
  const [sine, cosine] = [Math.sin(theta), Math.cos(theta)];
  const isEven = freedom % 2 === 0;
  let term = isEven ? 1 : cosine;
  let sum = freedom === 1 ? 0 : term;
  for (let k = isEven ? 2 : 3; k <= freedom - 2; k += 2) {
    term *= ((k - 1) / k) * cosine ** 2;
    sum += term;
  }
  const within = isEven ? sine * sum : (2 / Math.PI) * (theta + sine * sum);
  return Math.max(0, 1 - within);
}

/** The quantile of Student's distribution for a probability from 0.5 to below 1, by bisection. */
export function studentQuantile(probability: number, freedom: number): number {
  const wanted = 2 * (1 - probability);
  let [low, high] = [0, 1];
  while (tails(high, freedom) > wanted) high *= 2;
  for (let step = 0; step < 200; step++) {
    const middle = (low + high) / 2;
    if (tails(middle, freedom) > wanted) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
