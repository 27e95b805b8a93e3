import { projectInL1 } from '../l1-projection.js';
import type { BumpNorm } from './bumps.js';

/**
 * Square in L1 (Croce and Hein, 2021): as in L2, but the change is projected onto ball and box together. As in the reference a
 * channel of the new window gets as many times what it held as there are channels, and the ball is smaller by a millionth.
 */
export const l1Bumps: BumpNorm = {
  name: 'l1',
  decay: 4,
  sizeOf: (heights) => heights.reduce((sum, height) => sum + Math.abs(height), 0),
  size: (delta, dimensions) => delta.abs().sum(dimensions, true),
  channelSize({ held, whole, epsilon, channels }) {
    const spare = whole.neg().add(epsilon).clamp(0, Number.POSITIVE_INFINITY);
    return spare.div(channels).add(held).mul(channels);
  },
  finish: (x, delta, epsilon) => projectInL1(x.add(delta), x, epsilon * (1 - 1e-6)),
};
