import type { ExternalDescription } from '../../models/external-description.js';
import type { Preprocessing } from '../../models/preprocessing.js';
import { exportTorchScript } from '../../models/torchscript-export.js';
import { readCheckpoint, writeWeights } from '../../runs/checkpoint.js';
import { toArrays } from '../../weights/module-weights.js';
import { checkpointModel } from './checkpoint-model.js';
import { importModel } from './import-weights.js';

export interface ExportOptions {
  readonly format: 'safetensors' | 'torchscript';
  /** The file to write; one that exists is overwritten. */
  readonly out: string;
  /** What network the weights of another program belong to; null for a model of Satin's. */
  readonly form?: ExternalDescription | null;
  /** With `form`: what the network wants in place of pixels in [0, 1]. */
  readonly input?: Preprocessing | null;
  /** With `form`: which of several state dicts. */
  readonly entry?: string | undefined;
}

export interface Exported {
  /** What stood beside the weights of another program and was left out. */
  readonly skipped: readonly string[];
  /** Of TorchScript: the largest difference to the model, as a part of the largest logit. */
  readonly difference: number | null;
}

/**
 * Writes a model as safetensors, bit for bit, or as TorchScript.
 *
 * @throws {InputError} where the model cannot be read, or weights are not those of the network in `form`.
 */
export function exportModel(path: string, options: ExportOptions): Exported {
  const { format, out, form = null, ...rest } = options;
  const { model, skipped } =
    form === null
      ? { model: checkpointModel(readCheckpoint({ path })), skipped: [] }
      : importModel(path, { form, ...rest });
  using owned = model;
  if (format === 'torchscript') return { skipped, difference: exportTorchScript(owned, out) };
  writeWeights(out, { model: owned.description, weights: toArrays(owned.network.state()) });
  return { skipped, difference: null };
}
