import { InputError } from '../../errors.js';
import { writeFileDurably } from '../../files/durable-file.js';
import { encodeOnnx } from '../../models/onnx-export.js';
import { exportTorchScript } from '../../models/torchscript-export.js';
import { writeWeights } from '../../runs/checkpoint.js';
import { toArrays } from '../../weights/module-weights.js';
import { checkpointModel } from './checkpoint-model.js';
import { type ExportOptions, inputGradientFile, requireOnnx } from './export-options.js';
import { importWeights } from './import-weights.js';
import { onnxMetadata } from './onnx-metadata.js';
import type { ModelFile } from './read-model-file.js';

export interface Exported {
  /** Names of the entries that are not weights of the network and were ignored. */
  readonly skipped: readonly string[];
  /** TorchScript only: the largest difference from the model's logits, relative to the largest logit. */
  readonly difference: number | null;
  /** The files that were written. */
  readonly files: readonly string[];
}

/**
 * Writes a model as safetensors, bit for bit, as TorchScript, or as ONNX.
 *
 * @throws {InputError} for a model that is already TorchScript, for weights that do not fit the stated network, and for
 *   an option of another format.
 */
export function exportModel(file: ModelFile, options: ExportOptions): Exported {
  const { format, out, fold = false, inputGradient, onProgress } = options;
  requireOnnx(options);
  if (file.kind === 'torchscript')
    throw InputError.expected(
      'a model of Satin or a state dict',
      'the model',
      file.path,
      'It is already TorchScript.',
    );
  onProgress?.({ label: 'load the weights', done: 0, total: 1 });
  const { model, digest, skipped } =
    file.kind === 'satin'
      ? { model: checkpointModel(file.checkpoint), digest: file.checkpoint.weightsDigest, skipped: [] }
      : importWeights(file.weights, file);
  using owned = model;
  switch (format) {
    case 'torchscript':
      return { skipped, difference: exportTorchScript(owned, out, onProgress), files: [out] };
    case 'onnx': {
      const metadata = onnxMetadata(file, { description: owned.description, digest });
      const encoded = encodeOnnx(owned, { fold, loss: inputGradient ?? null, metadata, onProgress });
      onProgress?.({ label: 'write the file', done: 0, total: 1 });
      writeFileDurably(out, [encoded.forward]);
      if (encoded.inputGradient === null) return { skipped, difference: null, files: [out] };
      const second = inputGradientFile(out);
      writeFileDurably(second, [encoded.inputGradient]);
      return { skipped, difference: null, files: [out, second] };
    }
    case 'safetensors':
      onProgress?.({ label: 'write the file', done: 0, total: 1 });
      writeWeights(out, { model: owned.description, weights: toArrays(owned.network.state()) });
      return { skipped, difference: null, files: [out] };
  }
}
