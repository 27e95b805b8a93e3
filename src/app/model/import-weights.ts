import { InputError } from '../../errors.js';
import { fileDigest } from '../../files/digest.js';
import type { ModelDescription } from '../../models/description.js';
import { asNormalisation, type ExternalDescription } from '../../models/external-description.js';
import { Model } from '../../models/model.js';
import type { Preprocessing } from '../../models/preprocessing.js';
import { loadWeights } from '../../weights/module-weights.js';
import { matchParameterNames, storedNormalisation } from '../../weights/parameter-names.js';
import { readWeightsFile } from '../../weights/weights-file.js';

/** A network with weights that another program wrote. */
export interface ImportedModel {
  readonly model: Model;
  /** `sha256:` of the file. */
  readonly digest: string;
  /** What stands in the file beside the weights and is left out, by name. */
  readonly skipped: readonly string[];
}

export interface ImportOptions {
  readonly form: ExternalDescription;
  /** What the network wants in place of pixels in [0, 1], where the file does not hold it. */
  readonly input?: Preprocessing | null;
  /** Which of several state dicts in a checkpoint. */
  readonly entry?: string | undefined;
}

/**
 * Puts the weights of a file into the network that they are said to belong to. A normalisation in the file, or else the one
 * that is stated, becomes the model's first layer.
 *
 * @throws {InputError} where the file holds no weights or others, each named, and where two normalisations differ.
 */
export function importModel(path: string, { form, input = null, entry }: ImportOptions): ImportedModel {
  const weights = readWeightsFile(path, { entry });
  const [channels] = form.shape;
  const stated = input === null ? null : asNormalisation(input, channels);
  const held = storedNormalisation(weights.arrays, channels);
  if (stated !== null && held !== null && !areEqual(stated, held))
    throw InputError.expected(
      'the normalisation of the weights, or none,',
      '`preprocessing`',
      stated,
      `In ${path} the mean is ${held.mean.join()} and the std ${held.std.join()}.`,
    );
  const model = Model.create({ ...form, normalise: held ?? stated }, { seed: null });
  try {
    const { arrays, skipped } = matchParameterNames(weights.arrays, new Set(model.network.state().keys()));
    loadWeights(model.network, arrays, { source: path });
    return { model, digest: fileDigest(path), skipped: [...weights.skipped, ...skipped] };
  } catch (error) {
    model.dispose();
    throw error;
  }
}

type Normalise = NonNullable<ModelDescription['normalise']>;

/** As float32, in which files keep them. */
function areEqual(a: Normalise, b: Normalise): boolean {
  const rounded = ({ mean, std }: Normalise) => [...mean, ...std].map(Math.fround).join();
  return rounded(a) === rounded(b);
}
