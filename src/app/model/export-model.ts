import { InputError } from '../../errors.js';
import { exportTorchScript } from '../../models/torchscript-export.js';
import { writeWeights } from '../../runs/checkpoint.js';
import { toArrays } from '../../weights/module-weights.js';
import { checkpointModel } from './checkpoint-model.js';
import { importWeights } from './import-weights.js';
import type { ModelFile } from './read-model-file.js';

export interface ExportOptions {
  readonly format: 'safetensors' | 'torchscript';
  /** The file to write; an existing file is overwritten. */
  readonly out: string;
}

export interface Exported {
  /** Names of the entries that are not weights of the network and were ignored. */
  readonly skipped: readonly string[];
  /** TorchScript only: the largest difference from the model's logits, relative to the largest logit. */
  readonly difference: number | null;
}

/**
 * Writes a model as safetensors, bit for bit, or as TorchScript.
 *
 * @throws {InputError} for a model that is already TorchScript, and for weights that do not fit the stated network.
 */
export function exportModel(file: ModelFile, options: ExportOptions): Exported {
  const { format, out } = options;
  if (file.kind === 'torchscript')
    throw InputError.expected(
      'a model of Satin or a state dict',
      'the model',
      file.path,
      'It is already TorchScript.',
    );
  const { model, skipped } =
    file.kind === 'satin'
      ? { model: checkpointModel(file.checkpoint), skipped: [] }
      : importWeights(file.weights, file);
  using owned = model;
  if (format === 'torchscript') return { skipped, difference: exportTorchScript(owned, out) };
  writeWeights(out, { model: owned.description, weights: toArrays(owned.network.state()) });
  return { skipped, difference: null };
}
