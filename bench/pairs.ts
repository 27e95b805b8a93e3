/** The median with its distribution-free 95 % confidence interval by order statistics. */
export function medianInterval(values: readonly number[]): {
  median: number;
  interval: [low: number, high: number];
} {
  const sorted = [...values].sort((a, b) => a - b);
  const n = sorted.length;
  const median = n % 2 === 1 ? sorted[(n - 1) / 2]! : (sorted[n / 2 - 1]! + sorted[n / 2]!) / 2;
  // The largest k for which fewer than k of n fair coins are heads with a probability of at most 2.5 %.
  let k = 0;
  let tail = 0.5 ** n;
  for (let term = tail; tail <= 0.025; tail += term) {
    k++;
    term *= (n - k + 1) / k;
  }
  return { median, interval: [sorted[Math.max(0, k - 1)]!, sorted[Math.min(n - 1, n - k)]!] };
}
