import { attackLosses } from '../../attacks/losses.js';
import { EngineError } from '../../errors.js';
import { gradient, noGrad, withGrad } from '../../tensor/gradient.js';
import { noise } from '../../tensor/noise.js';
import { scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { padSingleton } from '../model-under-test.js';
import type { Flag } from './flag.js';
import type { Probe } from './probe.js';
import { thresholds } from './thresholds.js';

/** Step per pixel of the finite difference. */
const step = 1e-3;

/** Compares the margin along its gradient with the first-order prediction and with random directions. */
export function lossSurface({ subject, batch, threat, seed }: Probe): Flag[] {
  const classify = padSingleton(subject.fast);
  const { labels, ids } = batch;
  const count = ids.length;
  const margin = (x: Tensor) => attackLosses.margin(classify(x), labels); // [n]
  const measured = (x: Tensor) => noGrad(() => margin(x).numbers());
  return scope(() => {
    const x = batch.x.clamp(step, 1 - step); // both x ± step stay in the box
    const grad = marginGradient(margin, x);
    if (grad === null) return []; // reported as zero-gradients
    const flags: Flag[] = [];

    const ascent = grad.sign();
    const predicted = grad
      .abs()
      .sum([1, 2, 3])
      .mul(2 * step)
      .numbers();
    const [above, below] = [measured(x.add(ascent.mul(step))), measured(x.sub(ascent.mul(step)))];
    const ratios = [...predicted.keys()]
      .filter((row) => predicted[row]! > 0)
      .map((row) => (above[row]! - below[row]!) / predicted[row]!)
      .filter(Number.isFinite)
      .sort((a, b) => a - b);
    const median = ratios[Math.floor(ratios.length / 2)];
    if (median !== undefined && !(median >= thresholds.slopeLow && median <= thresholds.slopeHigh))
      flags.push({
        code: 'gradient-is-not-the-slope',
        message: `Along its gradient the margin rises ${median.toFixed(2)} times as fast as the gradient predicts (median of ${ratios.length} images): the backward pass does not match the forward pass, or the loss is piecewise constant. Look for rounding, clamping, a detached tensor or a custom backward pass, and add square.`,
      });

    const { norm, epsilon } = threat;
    if (epsilon === 0) return flags;
    const marginAfter = (direction: Tensor) =>
      measured(norm.project(batch.x.add(norm.direction(direction).mul(epsilon / 4)), batch.x, epsilon));
    const key = { seed, stream: 'attack' } as const;
    const { shape, device } = batch.x;
    const drawn = noise('normal', { key, ids, shape: shape.slice(1), device });
    const [along, random] = [marginAfter(grad), marginAfter(drawn)];
    const noiseWins = along.filter((value, row) => !(value > random[row]!)).length;
    if (noiseWins > thresholds.noiseWins * count)
      flags.push({
        code: 'gradient-no-better-than-noise',
        message: `On ${noiseWins} of ${count} images a random step of ε/4 raised the margin as much as a step along the gradient: the gradient does not point to the decision boundary. Gradient-based attacks are weak here; add square and a surrogate derivative.`,
      });
    return flags;
  });
}

/** Gradient of the margin; null if there is none. */
function marginGradient(margin: (x: Tensor) => Tensor, x: Tensor): Tensor | null {
  const point = x.detach().requireGrad_();
  const sum = withGrad(() => margin(point).sum());
  if (!sum.requiresGrad) return null;
  try {
    return gradient(sum, point);
  } catch (error) {
    if (error instanceof EngineError) return null;
    throw error;
  }
}
