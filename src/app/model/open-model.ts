import type { Activation } from '../../activations/activation.js';
import { InputError } from '../../errors.js';
import type { ModelDescription } from '../../models/description.js';
import { type ExternalDescription, requireForeignTakes } from '../../models/external-description.js';
import type { Model } from '../../models/model.js';
import { modelKind, requireInputTakes } from '../../models/model-kind.js';
import { arePlaceholders } from '../../models/placeholder-class-names.js';
import { noPreprocessing, type Preprocessing } from '../../models/preprocessing.js';
import { TorchScriptModel } from '../../models/torchscript-model.js';
import type { Classifier } from '../../nn/classifier.js';
import { readCheckpoint } from '../../runs/checkpoint.js';
import { checkpointModel } from './checkpoint-model.js';
import { importModel } from './import-weights.js';

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
  /** What a TorchScript file was told to take; null where the model brings its own normalisation. */
  readonly input: Preprocessing | null;
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
    input: null,
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
    input: null,
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

export interface OpenModelOptions {
  /** What a TorchScript file, or weights that hold no normalisation, want in place of pixels in [0, 1]. */
  readonly input?: Preprocessing | null;
  /** What network the weights of another program belong to. */
  readonly foreign?: ExternalDescription | null;
  /** Which of several state dicts in a checkpoint of another program. */
  readonly entry?: string | undefined;
}

/**
 * Reads what a user names as MODEL: a run folder (its best checkpoint), a checkpoint, a weights file, a TorchScript file
 * that PyTorch saved, or weights of another program with `foreign`. All are recognised by their content.
 *
 * @throws {InputError} where it is none of these, cannot be read, or where an option is given that it does not take.
 */
export function openModel(path: string, options: OpenModelOptions = {}): AttackableModel {
  const { input = null, foreign = null, entry } = options;
  const kind = modelKind(path);
  requireInputTakes(kind, { path, input });
  requireForeignTakes(kind, { path, foreign, entry });
  if (kind === 'torchscript') {
    const form = input ?? noPreprocessing;
    const script = new TorchScriptModel(path, form);
    const { digest, classify } = script;
    return {
      ...functionModel({ name: path, digest, classify }),
      input: form,
      [Symbol.dispose]: () => script.dispose(),
    };
  }
  if (foreign !== null) {
    const { model, digest } = importModel(path, { form: foreign, input, entry });
    return attackableModel(model, { name: path, digest });
  }
  const checkpoint = readCheckpoint({ path });
  return attackableModel(checkpointModel(checkpoint), { name: path, digest: checkpoint.weightsDigest });
}
