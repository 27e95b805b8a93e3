import { ones, where, zerosLike } from '../tensor/create.js';
import type { Tensor } from '../tensor/tensor.js';
import type { StepRule } from './step-rule.js';

/** The step size is halved if the loss rose in no more than this fraction of the steps since the last checkpoint. */
const rho = 0.75;

type Halving = Readonly<
  Record<
    | 'checkedLoss' // best loss at the last checkpoint
    | 'lastLoss' // of the previous iterate; initially 0, as in the reference
    | 'rises' // since the last checkpoint
    | 'halved', // at the last checkpoint, bool
    Tensor // [n]
  >
>;

/**
 * APGD's steps in L∞ and L2 (Croce and Hein, 2020): of 2ε at first, with momentum, along the norm's steepest direction. At
 * checkpoints of decreasing spacing the step size of an example is halved, and the example restarts from its best point, where
 *
 *  1. the loss rose in at most 75 % of the steps since the last checkpoint, or
 *  2. the step size was not halved at the last checkpoint and the best loss has not increased since.
 *
 * As in the reference the loss of the first iterate counts as a rise where it is positive, and condition 2 cannot hold at the
 * first checkpoint.
 */
export function halvingRule(direction: (gradient: Tensor) => Tensor): StepRule<Halving> {
  return {
    firstStep: 2,
    momentum: 0.75,
    checkpoints: checkpointsOf,
    direction,
    begin: ({ loss }) => ({
      checkedLoss: loss,
      lastLoss: zerosLike(loss),
      rises: zerosLike(loss),
      halved: ones([loss.dimension(0)], 'bool', loss.device),
    }),
    stepped: (state, loss) => ({
      ...state,
      lastLoss: loss,
      rises: state.rises.add(loss.greater(state.lastLoss).to(loss.dtype)),
    }),
    check({ state, bestLoss, stepSize, steps }) {
      const oscillates = state.rises.greater(rho * steps).not();
      const stagnates = bestLoss.greater(state.checkedLoss).not().mul(state.halved.not());
      const halved = oscillates.maximum(stagnates); // bool: or
      return {
        state: { ...state, checkedLoss: bestLoss, rises: zerosLike(state.rises), halved },
        stepSize: where(halved.reshape([-1, 1, 1, 1]), stepSize.mul(0.5), stepSize),
        restarted: halved,
      };
    },
  };
}

/** The steps after which the step size is checked: first after 22 % of `steps`, then at intervals shrinking to 6 %. */
export function checkpointsOf(steps: number): ReadonlySet<number> {
  const share = (fraction: number) => Math.max(1, Math.trunc(fraction * steps));
  const checkpoints = new Set<number>();
  let window = share(0.22);
  for (let step = window; step <= steps; step += window) {
    checkpoints.add(step);
    window = Math.max(window - share(0.03), share(0.06));
  }
  return checkpoints;
}
