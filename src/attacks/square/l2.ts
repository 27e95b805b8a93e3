import { type BumpNorm, tiny } from './bumps.js';

/** Square in L2: a change of the full length ε, which the box then shortens. */
export const l2Bumps: BumpNorm = {
  name: 'l2',
  decay: 2,
  sizeOf: (heights) => Math.hypot(...heights),
  size: (delta, dimensions) => delta.l2Norm(dimensions, true),
  channelSize({ held, whole, epsilon, channels }) {
    const spare = whole
      .mul(whole)
      .neg()
      .add(epsilon * epsilon)
      .clamp(0, Number.POSITIVE_INFINITY);
    return spare.div(channels).add(held.mul(held)).sqrt();
  },
  finish(x, delta, epsilon) {
    const length = delta.l2Norm([1, 2, 3], true).add(tiny);
    return x.add(delta.div(length).mul(epsilon)).clamp(0, 1);
  },
};
