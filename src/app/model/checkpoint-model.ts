import { Model } from '../../models/model.js';
import { stateShapes } from '../../models/state-shapes.js';
import { type Checkpoint, readCheckpoint } from '../../runs/checkpoint.js';
import { requireArgument } from '../../user-input/require-argument.js';
import { loadWeights, requireShapes } from '../../weights/module-weights.js';

/**
 * Builds the model of a checkpoint on a device and loads its weights.
 *
 * @throws {InputError} if the weights are not those of the network that is described; nothing of its size is then made.
 */
export function checkpointModel(checkpoint: Checkpoint, device = 'cpu'): Model {
  const { weights, weightsFile: source } = checkpoint;
  requireShapes(stateShapes(checkpoint.model), weights, source);
  const model = Model.create(checkpoint.model, { seed: null, device });
  loadWeights(model.network, weights, { source });
  return model;
}

/** Reads a model onto a device: a run folder (its best checkpoint), a checkpoint, or a weights file. */
export function readModel(
  path: string,
  options: { readonly device?: string } = {},
): { readonly model: Model; readonly checkpoint: Checkpoint } {
  requireArgument(options, 'options', 'readModel');
  const { device = 'cpu' } = options;
  requireArgument(device, 'text', 'the device of readModel');
  const checkpoint = readCheckpoint({ path });
  return { model: checkpointModel(checkpoint, device), checkpoint };
}
