import { Model } from '../../models/model.js';
import { type Checkpoint, readCheckpoint } from '../../runs/checkpoint.js';
import { loadWeights } from '../../weights/module-weights.js';

/** Builds the model of a checkpoint on a device and loads its weights. */
export function checkpointModel(checkpoint: Checkpoint, device = 'cpu'): Model {
  const model = Model.create(checkpoint.model, { seed: null, device });
  loadWeights(model.network, checkpoint.weights);
  return model;
}

/** Reads a model onto a device: a run folder (its best checkpoint), a checkpoint, or a weights file. */
export function readModel(
  path: string,
  { device = 'cpu' }: { readonly device?: string } = {},
): { readonly model: Model; readonly checkpoint: Checkpoint } {
  const checkpoint = readCheckpoint({ path });
  return { model: checkpointModel(checkpoint, device), checkpoint };
}
