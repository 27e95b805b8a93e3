import type { Batch } from '../../data/dataset-tensors.js';
import type { DropoutContext, DropRates } from '../../nn/dropout.js';
import type { Pass } from '../../nn/module.js';

/** Options of the forward pass of an update. */
export interface UpdatePass extends Omit<Pass, 'drop'> {
  /** Dropout rates; attacks run without dropout. */
  readonly drop?: DropRates;
}

/** The forward pass of one update, with dropout seeded by the step and the example ids. */
export function passAt(
  { drop, ...pass }: UpdatePass,
  { ids }: Pick<Batch, 'ids'>,
  { seed, epoch, step }: Pick<DropoutContext, 'seed' | 'epoch' | 'step'>,
): Pass {
  return drop === undefined ? pass : { ...pass, drop: { ...drop, seed, epoch, step, ids } };
}
