import { InputError } from '../errors.js';
import { readSafetensors } from './safetensors.js';
import { isSafetensors } from './safetensors-signature.js';
import { readStateDict, type StateDict } from './state-dict.js';
import { isTensorFlowCheckpoint, readTensorFlowCheckpoint } from './tensorflow/checkpoint.js';

export interface ReadWeightsOptions {
  /** Selects one of several state dicts in a PyTorch checkpoint: `ema`. In one of TensorFlow: `ema` or `raw`. */
  readonly entry?: string | undefined;
}

/**
 * Reads weights written by another program, as a PyTorch state dict, as safetensors, or as a checkpoint of TensorFlow
 * named by its prefix. They do not identify the architecture.
 *
 * @throws {InputError} if the file is none of these, is damaged, or contains more than weights.
 */
export function readWeightsFile(path: string, options: ReadWeightsOptions = {}): StateDict {
  if (isTensorFlowCheckpoint(path))
    return { path, arrays: [], ...readTensorFlowCheckpoint(path, options.entry) };
  if (!isSafetensors(path)) return readStateDict(path, options);
  if (options.entry !== undefined)
    throw InputError.expected(
      'a PyTorch checkpoint',
      '`entry`',
      options.entry,
      `${path} holds a single set of weights.`,
    );
  const { arrays } = readSafetensors(path);
  return {
    path,
    files: [path],
    arrays: arrays.map(({ bytes, ...array }) => ({ ...array, read: () => bytes })),
    skipped: [],
  };
}
