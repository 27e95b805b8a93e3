import { InputError } from '../errors.js';
import { readSafetensors } from './safetensors.js';
import { readStateDict, type StateDict } from './state-dict.js';

export interface ReadWeightsOptions {
  /** Which of several state dicts in a checkpoint of PyTorch: `ema`. */
  readonly entry?: string | undefined;
}

/**
 * Weights that another program wrote, as a state dict of PyTorch or as safetensors. Whose network they are they do not say.
 *
 * @throws {InputError} where the file is neither, is damaged, or holds more than weights.
 */
export function readWeightsFile(path: string, options: ReadWeightsOptions = {}): StateDict {
  if (!path.endsWith('.safetensors')) return readStateDict(path, options);
  if (options.entry !== undefined)
    throw InputError.expected(
      'a checkpoint of PyTorch',
      '`entry`',
      options.entry,
      `${path} holds one set of weights.`,
    );
  const { arrays } = readSafetensors(path);
  return {
    path,
    arrays: arrays.map(({ bytes, ...array }) => ({ ...array, read: () => bytes })),
    skipped: [],
  };
}
