import { forwardGraph, inputGradientGraph } from '../onnx/build-graph.js';
import { foldBatchNorms } from '../onnx/fold-batch-norm.js';
import type { Graph } from '../onnx/graph.js';
import type { LossName } from '../onnx/losses.js';
import { version } from '../provenance/version.js';
import type { Model } from './model.js';
import type { OnExport } from './on-export.js';
import { recordModel } from './record-model.js';

/** A model as ONNX files, both in float32 and in evaluation mode, from pixels in [0, 1], for batches of any size. */
export interface OnnxFiles {
  /** `images` [N, C, H, W] → `logits` [N, classes] */
  readonly forward: Uint8Array;
  /** `images`, `labels` [N, classes] → `logits`, `loss` [N], `gradient` [N, C, H, W]; null without a loss. */
  readonly inputGradient: Uint8Array | null;
}

/**
 * Encodes a model, its normalisation included, as ONNX.
 *
 * @throws {InputError} for a network of more than 2 GiB, the most that an ONNX file holds.
 */
export function encodeOnnx(
  model: Model,
  options: {
    /** Batch norms become part of the convolutions. */
    readonly fold: boolean;
    /** The loss whose gradient with respect to the images the second file also returns. */
    readonly loss: LossName | null;
    readonly metadata: ReadonlyMap<string, string>;
    readonly onProgress?: OnExport | undefined;
  },
): OnnxFiles {
  const { fold, loss, metadata, onProgress } = options;
  onProgress?.({ label: 'record the network', done: 0, total: 1 });
  const recorded = recordModel(model);
  const program = fold ? foldBatchNorms(recorded) : recorded;
  onProgress?.({ label: 'encode the network', done: 0, total: 1 });
  const encode = (graph: Graph) => graph.encode({ producer: { name: 'satin', version }, metadata });
  return {
    forward: encode(forwardGraph(program)),
    inputGradient: loss === null ? null : encode(inputGradientGraph(program, loss)),
  };
}
