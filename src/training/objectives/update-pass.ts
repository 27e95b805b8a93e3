import type { Batch } from '../../data/dataset-tensors.js';
import type { DropoutContext, DropRates } from '../../nn/dropout.js';
import type { Pass } from '../../nn/module.js';

/** How the updates of a run run the network. */
export interface UpdatePass extends Omit<Pass, 'drop'> {
  /** How much each of them leaves out; attacks leave out nothing. */
  readonly drop?: DropRates;
}

/** The pass of one update: what it leaves out is fixed by the step and by each example's id. */
export function passAt(
  { drop, ...pass }: UpdatePass,
  { ids }: Pick<Batch, 'ids'>,
  { seed, epoch, step }: Pick<DropoutContext, 'seed' | 'epoch' | 'step'>,
): Pass {
  return drop === undefined ? pass : { ...pass, drop: { ...drop, seed, epoch, step, ids } };
}
