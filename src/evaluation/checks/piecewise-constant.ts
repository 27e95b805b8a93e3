import { noGrad } from '../../tensor/gradient.js';
import { noise } from '../../tensor/noise.js';
import { scope } from '../../tensor/scope.js';
import type { Flag } from './flag.js';
import { given, type Probe } from './probe.js';
import { thresholds } from './thresholds.js';

/** Tiny steps away from each image. */
const steps = 4;

/**
 * The logits stay the same to the bit while every pixel moves by a little, in a random direction. The steps are so small that
 * a network with four levels for each pixel rarely meets an edge, and large against the rounding of a pixel.
 */
export function piecewiseConstant({ subject, batch, logits, seed }: Probe): Flag | null {
  const classify = given(subject);
  const size = batch.x.size / batch.ids.length;
  const step = Math.min(1e-4, Math.max(1e-6, 0.03 / size));
  const still = scope(() => {
    const key = { seed, stream: 'attack' } as const;
    const draws = noise('uniform', { key, ids: batch.ids, shape: batch.x.shape.slice(1) });
    const direction = draws.sub(0.5).sign().toDevice(batch.x.device);
    let [before, unmoved] = [logits, 0];
    for (let at = 1; at <= steps; at++) {
      const point = batch.x.add(direction.mul(at * step)).clamp(0, 1);
      const after = noGrad(() => classify(point));
      unmoved += after.ne(before).to('float32').sum([1]).eq(0).to('float32').sum().item();
      before = after;
    }
    return unmoved;
  });
  const count = steps * batch.ids.length;
  if (still <= thresholds.staircase * count) return null;
  const message = `In ${still} of ${count} tiny steps away from an image no output changed at all: somewhere the model rounds, as a quantised input or a step function does. Its gradient says nothing about such a staircase. Attack the network without the rounding and check its images on this one, or add square.`;
  return { code: 'staircase', message };
}
