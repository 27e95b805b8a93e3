import { where } from '../tensor/create.js';
import type { Tensor } from '../tensor/tensor.js';
import { sparseDirection } from './sparse-direction.js';
import type { StepRule } from './step-rule.js';

type Sparsity = Readonly<
  Record<
    | 'share' // of the pixels that a step moves
    | 'changed', // numbers of the best point that differed from the image's at the last checkpoint
    Tensor // [n]
  >
>;

/** Share of the pixels that the first steps from a random point move. */
const firstShare = 0.2;
/** A step moves so many times fewer pixels than the best point has changed. */
const narrower = 1.5;
/** Where the best point changes less than this fraction of what it did, it became sparse, and the step size is reset. */
const sparser = 0.95;
/** Otherwise the step size is divided by this, down to a tenth of ε. */
const shorter = 1.5;
const shortest = 0.1;

/**
 * APGD's steps in L1 (Croce and Hein, 2021), without momentum: they move a share of the pixels, those with the largest
 * gradients, each by the same amount. At checkpoints every 4 % of the steps the share becomes 1 / 1.5 of the share that the best
 * point has changed; where the best point changes less than 95 % of what it did at the last checkpoint, the step size returns
 * to ε and the example restarts from its best point, elsewhere the step size is divided by 1.5, down to ε / 10.
 */
export const sparsityRule: StepRule<Sparsity> = {
  firstStep: 1,
  momentum: 1,
  checkpoints(steps) {
    const window = Math.max(1, Math.trunc(0.04 * steps));
    return new Set(Array.from({ length: Math.floor(steps / window) }, (_, at) => (at + 1) * window));
  },
  begin({ x, origin, loss, isFound }) {
    const none = loss.mul(0).nanToNum(); // [n]
    const count = x.size / x.dimension(0);
    if (!isFound) return { share: none.add(firstShare), changed: none.add(count) };
    const changed = changedNumbers(x, origin);
    return { share: shareOf(changed, count), changed };
  },
  direction: (gradient, { share }) => sparseDirection(gradient, share),
  stepped: (state) => state,
  check({ state, origin, best, stepSize, epsilon }) {
    const changed = changedNumbers(best, origin);
    const restarted = changed.div(state.changed).less(sparser); // false where both are 0
    const shrunk = stepSize.div(shorter).clamp(shortest * epsilon, epsilon);
    const isReset = restarted.reshape([-1, 1, 1, 1]);
    return {
      state: { share: shareOf(changed, best.size / best.dimension(0)), changed },
      stepSize: where(isReset, stepSize.mul(0).add(epsilon), shrunk),
      restarted,
    };
  },
};

/** How many numbers of each image differ, [n], in the dtype of the images. */
function changedNumbers(x: Tensor, origin: Tensor): Tensor {
  return x.ne(origin).to(x.dtype).sum([1, 2, 3]);
}

function shareOf(changed: Tensor, count: number): Tensor {
  return changed.div(count).div(narrower);
}
