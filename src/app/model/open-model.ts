import type { Activation } from '../../activations/activation.js';
import { InputError } from '../../errors.js';
import type { ModelDescription } from '../../models/description.js';
import type { Model } from '../../models/model.js';
import { arePlaceholders } from '../../models/placeholder-class-names.js';
import type { Preprocessing } from '../../models/preprocessing.js';
import { TorchScriptModel } from '../../models/torchscript-model.js';
import type { Classifier } from '../../nn/classifier.js';
import { checkpointModel } from './checkpoint-model.js';
import { importWeights } from './import-weights.js';
import { type ModelFile, type ModelFileOptions, readModelFile } from './model-file.js';

/** A network that is measured, whatever file it came from. */
export interface AttackableModel extends Disposable {
  /** As the user named it, for the result. */
  readonly name: string;
  /** `sha256:` of its file. */
  readonly digest: string;
  /** Channels, height and width of its images; null where the file does not say. */
  readonly shape: ModelDescription['shape'] | null;
  /** The names of its classes; null where the file does not say. */
  readonly classes: readonly string[] | null;
  /** Of a TorchScript file; null where the model brings its own normalisation. */
  readonly preprocessing: Preprocessing | null;
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
export function attackableModel(
  model: Model,
  { name, digest }: Pick<AttackableModel, 'name' | 'digest'>,
): AttackableModel {
  const { shape, classes } = model.description;
  return {
    name,
    digest,
    shape,
    classes: arePlaceholders(classes) ? null : classes,
    preprocessing: null,
    classify: model.classify,
    forAttacks: (options) => model.fold(options),
    [Symbol.dispose]: () => model.dispose(),
  };
}

/**
 * A function from pixels in [0, 1], [N, C, H, W], to logits [N, classes], as a model that is measured. It is made of
 * tensors' operators, so that libtorch can differentiate it; normalisation is a part of it.
 */
export function functionModel(options: {
  readonly name: string;
  readonly classify: Classifier;
  /** Tells this function from others in results and when an evaluation is resumed. @default `function:` and the name */
  readonly digest?: string;
  readonly shape?: AttackableModel['shape'];
  readonly classes?: AttackableModel['classes'];
}): AttackableModel {
  const { name, classify, digest = `function:${name}`, shape = null, classes = null } = options;
  return {
    name,
    digest,
    shape,
    classes,
    preprocessing: null,
    classify,
    forAttacks(form = {}) {
      if (form.derivative !== undefined)
        throw InputError.expected(
          'a model of Satin, whose activations are known,',
          '`surrogates`',
          name,
          `Its activations cannot be told from the rest of it; leave out the derivative of ${form.derivative.name}.`,
        );
      return { classify, [Symbol.dispose]: () => {} };
    },
    [Symbol.dispose]: () => {},
  };
}

/**
 * Opens a model file, or reads and opens the one of a path: see `readModelFile`.
 *
 * @throws {InputError} where the file cannot be used as what it is.
 */
export function openModel(source: string | ModelFile, options: ModelFileOptions = {}): AttackableModel {
  const file = typeof source === 'string' ? readModelFile(source, options) : source;
  const { path } = file;
  switch (file.kind) {
    case 'satin': {
      const { checkpoint } = file;
      return attackableModel(checkpointModel(checkpoint), { name: path, digest: checkpoint.weightsDigest });
    }
    case 'torchscript': {
      const { preprocessing } = file;
      const script = new TorchScriptModel(path, preprocessing);
      const { digest, classify } = script;
      return {
        ...functionModel({ name: path, digest, classify }),
        preprocessing,
        [Symbol.dispose]: () => script.dispose(),
      };
    }
    case 'weights': {
      const { model, digest } = importWeights(file.weights, file);
      return attackableModel(model, { name: path, digest });
    }
  }
}
