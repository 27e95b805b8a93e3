import type { Activation } from './activations/activation.js';
import { modelOf } from './experiment.js';
import type { Model, ModelDescription } from './models/model.js';
import type { Classifier } from './nn/classifier.js';
import { readCheckpoint } from './runs/checkpoint.js';

/** A network that is measured, whatever file it came from. */
export interface MeasuredModel extends Disposable {
  /** As the user named it, for the result. */
  readonly name: string;
  /** `sha256:` of its file. */
  readonly digest: string;
  /** Channels, height and width of its images; null where the file does not say. */
  readonly shape: ModelDescription['shape'] | null;
  /** The names of its classes; null where the file does not say. */
  readonly classes: readonly string[] | null;
  /** The network as it was given: it alone decides whether an example is broken. */
  readonly classify: Classifier;
  /**
   * The same function up to rounding, faster, for attacks; with `derivative` its gradient is that of a network with
   * another activation's derivative.
   *
   * @throws {InputError} for a derivative, where the activations cannot be told apart.
   */
  forAttacks(options?: { readonly derivative?: Activation }): Disposable & { readonly classify: Classifier };
}

/** Satin's own model as one that is measured, which is disposed of with it. */
export function measuredModel(
  model: Model,
  { name, digest }: Pick<MeasuredModel, 'name' | 'digest'>,
): MeasuredModel {
  const { shape, classes } = model.description;
  return {
    name,
    digest,
    shape,
    classes,
    classify: model.classify,
    forAttacks: (options) => model.fold(options),
    [Symbol.dispose]: () => model.dispose(),
  };
}

/**
 * Reads what a user names as MODEL: a run folder (its best checkpoint), a checkpoint or a weights file.
 *
 * @throws {InputError} where it is none of these.
 */
export function openModel(path: string): MeasuredModel {
  const checkpoint = readCheckpoint({ path });
  return measuredModel(modelOf(checkpoint), { name: path, digest: checkpoint.weightsDigest });
}
