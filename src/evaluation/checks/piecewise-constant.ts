import { noGrad } from '../../tensor/gradient.js';
import { noise } from '../../tensor/noise.js';
import { scope } from '../../tensor/scope.js';
import type { Flag } from './flag.js';
import { exactClassifier, type Probe } from './probe.js';
import { thresholds } from './thresholds.js';

/** Number of small steps away from each image. */
const steps = 4;

/**
 * The logits do not change at all when every pixel moves by a small amount in a random direction. The steps are small
 * enough that an input quantised to four levels per pixel rarely changes, and large compared to float32 rounding.
 */
export function piecewiseConstant({ subject, batch, logits, seed }: Probe): Flag | null {
  const classify = exactClassifier(subject);
  const size = batch.x.size / batch.ids.length;
  const step = Math.min(1e-4, Math.max(1e-6, 0.03 / size));
  const constant = scope(() => {
    const key = { seed, stream: 'attack' } as const;
    const { shape, device } = batch.x;
    const draws = noise('uniform', { key, ids: batch.ids, shape: shape.slice(1), device });
    const direction = draws.sub(0.5).sign();
    let [before, unchanged] = [logits, 0];
    for (let index = 1; index <= steps; index++) {
      const point = batch.x.add(direction.mul(index * step)).clamp(0, 1);
      const after = noGrad(() => classify(point));
      unchanged += after.ne(before).to('float32').sum([1]).eq(0).to('float32').sum().item();
      before = after;
    }
    return unchanged;
  });
  const count = steps * batch.ids.length;
  if (constant <= thresholds.staircase * count) return null;
  const message = `In ${constant} of ${count} small steps away from an image no output changed at all: the model rounds somewhere, as a quantised input or a step function does, and its gradient is uninformative. Attack the network without the rounding and test the adversarial images on this one, or add square.`;
  return { code: 'staircase', message };
}
