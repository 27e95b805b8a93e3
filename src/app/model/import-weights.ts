import { InputError } from '../../errors.js';
import { fileDigest } from '../../files/digest.js';
import type { ModelDescription } from '../../models/description.js';
import { asNormalisation, type ExternalDescription } from '../../models/external-description.js';
import { Model } from '../../models/model.js';
import type { Preprocessing } from '../../models/preprocessing.js';
import { stateShapes } from '../../models/state-shapes.js';
import { loadWeights, requireShapes } from '../../weights/module-weights.js';
import { areDeepMinds, matchParameterNames, storedNormalisation } from '../../weights/parameter-names.js';
import type { StateDict } from '../../weights/state-dict.js';
import { advice, nearestArchitectures } from './nearest-architectures.js';

/** A network with weights written by another program. */
export interface ImportedModel {
  readonly model: Model;
  /** `sha256:` of the file or files. */
  readonly digest: string;
  /** Names of the entries in the file that are not weights of the network and are ignored. */
  readonly skipped: readonly string[];
}

/**
 * Loads weights of another program into the network that is stated for them. A normalisation in the file, or else the
 * stated one, becomes the model's first layer.
 *
 * @throws {InputError} for weights that do not belong to this network, naming each, and where the two normalisations
 *   differ.
 */
export function importWeights(
  weights: StateDict,
  options: {
    readonly description: ExternalDescription;
    /** What the network expects in place of pixels in [0, 1], where the file does not hold it. */
    readonly preprocessing?: Preprocessing | null;
    /** @default 'cpu' */
    readonly device?: string;
  },
): ImportedModel {
  const { description, preprocessing = null, device = 'cpu' } = options;
  const { path } = weights;
  const [channels] = description.shape;
  const stated = preprocessing === null ? null : asNormalisation(preprocessing, channels);
  const held = storedNormalisation(weights.arrays, channels);
  if (stated !== null && held !== null && !areEqual(stated, held))
    throw InputError.expected(
      'the normalisation of the weights, or none,',
      '`preprocessing`',
      stated,
      `In ${path} the mean is ${held.mean.join()} and the std ${held.std.join()}.`,
    );
  if (areDeepMinds(weights.arrays) && description.padding !== 'same')
    throw InputError.expected(
      'same',
      '`padding`',
      'symmetric',
      `The weights of ${path} have DeepMind's names, and those networks are padded so.`,
    );
  // Before anything of its size is made.
  const shapes = stateShapes(description);
  const names = new Set(shapes.keys());
  const { arrays, skipped } = matchParameterNames(weights.arraysFor?.(names) ?? weights.arrays, names);
  try {
    requireShapes(shapes, arrays, path);
  } catch (error) {
    throw withNearest(error, weights, description);
  }
  const model = Model.create({ ...description, normalise: held ?? stated }, { seed: null, device });
  try {
    loadWeights(model.network, arrays, { source: path });
    return { model, digest: fileDigest(...weights.files), skipped: [...weights.skipped, ...skipped] };
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/** The error for weights that do not fit, with the architectures that are nearest to them. */
function withNearest(error: unknown, weights: StateDict, description: ExternalDescription): unknown {
  const isOfShapes = error instanceof InputError && error.code === 'weights-do-not-fit';
  if (!isOfShapes || weights.arraysFor !== undefined) return error;
  const near = nearestArchitectures(weights.arrays, description);
  return new InputError(error.code, `${error.message} ${advice(near, description.architecture)}`, {
    cause: error,
  });
}

type Normalise = NonNullable<ModelDescription['normalise']>;

/** Compared in float32, the dtype of the files. */
function areEqual(a: Normalise, b: Normalise): boolean {
  const rounded = ({ mean, std }: Normalise) => [...mean, ...std].map(Math.fround).join();
  return rounded(a) === rounded(b);
}
