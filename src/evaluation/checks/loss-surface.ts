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

/** How far every pixel moves where the slope is measured. */
const step = 1e-3;

/** The margin along the gradient and along random directions: does it rise as the gradient says, and more than by luck? */
export function lossSurface({ subject, batch, threat, seed }: Probe): Flag[] {
  const classify = padSingleton(subject.fast);
  const { labels, ids } = batch;
  const count = ids.length;
  const margin = (x: Tensor) => attackLosses.margin(classify(x), labels); // [n]
  const measured = (x: Tensor) => noGrad(() => margin(x).numbers());
  return scope(() => {
    const x = batch.x.clamp(step, 1 - step); // both ends of the step stay in the box
    const slope = slopeOf(margin, x);
    if (slope === null) return []; // said by zero-gradients
    const flags: Flag[] = [];

    const ascent = slope.sign();
    const promised = slope
      .abs()
      .sum([1, 2, 3])
      .mul(2 * step)
      .numbers();
    const [above, below] = [measured(x.add(ascent.mul(step))), measured(x.sub(ascent.mul(step)))];
    const ratios = [...promised.keys()]
      .filter((row) => promised[row]! > 0)
      .map((row) => (above[row]! - below[row]!) / promised[row]!)
      .sort((a, b) => a - b);
    const median = ratios[Math.floor(ratios.length / 2)];
    if (median !== undefined && !(median >= thresholds.slopeLow && median <= thresholds.slopeHigh))
      flags.push({
        code: 'gradient-is-not-the-slope',
        message: `Along its gradient the margin rises ${median.toFixed(2)} times as fast as the gradient says (median of ${ratios.length} images): the backward pass does not belong to the forward pass, or the loss is a staircase. Look for a rounding, a clamp, a detached part or a custom backward pass, and add square.`,
      });

    const { norm, epsilon } = threat;
    if (epsilon === 0) return flags;
    const away = (direction: Tensor) =>
      measured(norm.project(batch.x.add(norm.direction(direction).mul(epsilon / 4)), batch.x, epsilon));
    const key = { seed, stream: 'attack' } as const;
    const drawn = noise('normal', { key, ids, shape: batch.x.shape.slice(1) }).toDevice(batch.x.device);
    const [along, random] = [away(slope), away(drawn)];
    const luckier = along.filter((value, row) => !(value > random[row]!)).length;
    if (luckier > thresholds.noiseWins * count)
      flags.push({
        code: 'gradient-no-better-than-noise',
        message: `On ${luckier} of ${count} images a random step of ε/4 raised the margin as much as the step along the gradient: the gradient does not lead to the boundary. Attacks along it are weak here; add square and a surrogate derivative.`,
      });
    return flags;
  });
}

/** The margin's gradient; null where there is none. */
function slopeOf(margin: (x: Tensor) => Tensor, x: Tensor): Tensor | null {
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
