import { InputError } from '../errors.js';

/**
 * The index of a rank's GPU among the `visible` ones: its rank within the machine, or the only one where the launcher
 * shows every process a GPU of its own.
 *
 * @throws {InputError} if the machine has more ranks than GPUs.
 */
export function gpuOfRank(localRank: number, visible: number): number {
  if (visible === 1) return 0;
  if (localRank < visible) return localRank;
  throw InputError.expected(
    `a rank within the machine below ${visible}, its number of visible GPUs,`,
    'LOCAL_RANK',
    localRank,
    'Start one process for each GPU, or check CUDA_VISIBLE_DEVICES.',
  );
}
