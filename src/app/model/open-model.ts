import { withTensorFloat32 } from '../../engine/precision.js';
import { InputError } from '../../errors.js';
import type { WeightsResult } from '../../evaluation/result.js';
import type { EvaluationTransform, ModelDescription } from '../../models/description.js';
import type { FoldedModel } from '../../models/folded-model.js';
import { foreignClassifier } from '../../models/foreign-classifier.js';
import type { FoldOptions, Model } from '../../models/model.js';
import { arePlaceholders } from '../../models/placeholder-class-names.js';
import type { Preprocessing } from '../../models/preprocessing.js';
import { TorchScriptModel } from '../../models/torchscript-model.js';
import type { Classifier } from '../../nn/classifier.js';
import { weightsOrigin } from '../../runs/weights-origin.js';
import { requireArgument } from '../../user-input/require-argument.js';
import { checkpointModel } from './checkpoint-model.js';
import { importWeights } from './import-weights.js';
import { type ModelFile, type ModelFileOptions, readModelFile } from './read-model-file.js';

/** A model to be evaluated or attacked, whatever file it comes from. */
export interface AttackableModel extends Disposable {
  /** The name that the user gave, for the result. */
  readonly name: string;
  /** `sha256:` of its file. */
  readonly digest: string;
  /** From which point of a training its weights are; absent if the file does not say. */
  readonly weights?: WeightsResult | null;
  /** Channels, height and width of its input; null if the file does not tell. */
  readonly shape: ModelDescription['shape'] | null;
  /** The names of its classes; null if the file does not tell. */
  readonly classes: readonly string[] | null;
  /** How ImageNet's images are brought to `shape`; absent if the file does not tell. */
  readonly transform?: EvaluationTransform | undefined;
  /** Of a TorchScript file; null if the model contains its normalisation. */
  readonly preprocessing: Preprocessing | null;
  /** Weights of another program in a network of Satin's, which may not be the one that they were trained in. */
  readonly isImported?: boolean;
  /** Where its weights are, and where it takes images: `cpu`, `cuda:0`. */
  readonly device: string;
  /** The exact network in float32: it alone decides whether an example is misclassified. */
  readonly classify: Classifier;
  /**
   * The same function up to rounding, but faster, for attacks. With `derivative` its backward pass uses another
   * activation's derivative (a surrogate derivative); with `computeDtype` the network computes in it.
   *
   * @throws {InputError} for `derivative` and `computeDtype`, if the network of the model is not known.
   */
  forAttacks(options?: FoldOptions): FoldedModel;
}

/** A model of Satin as an `AttackableModel`, which owns it. */
export function attackableModel(
  model: Model,
  named: Pick<AttackableModel, 'name' | 'digest' | 'weights'>,
): AttackableModel {
  requireArgument(named, 'options', 'attackableModel');
  const { name, digest, weights = null } = named;
  requireArgument(model, 'model', 'attackableModel');
  requireArgument(name, 'text', 'the name of attackableModel');
  requireArgument(digest, 'text', 'the digest of attackableModel');
  const { shape, classes, transform } = model.description;
  return {
    name,
    digest,
    weights,
    shape,
    classes: arePlaceholders(classes) ? null : classes,
    transform,
    preprocessing: null,
    device: model.device,
    classify: model.classify,
    forAttacks: (options) => model.fold(options),
    [Symbol.dispose]: () => model.dispose(),
  };
}

/**
 * A function from pixels in [0, 1], [N, C, H, W], to logits [N, classes], as an `AttackableModel`. It consists of tensor
 * operators, so that libtorch can differentiate it, and includes the normalisation. It gets its own copy of the images,
 * which it may write into.
 */
export function functionModel(options: {
  readonly name: string;
  readonly classify: Classifier;
  /** Identifies this function in results and when an evaluation is resumed. @default `function:` and the name */
  readonly digest?: string;
  readonly shape?: AttackableModel['shape'];
  readonly classes?: AttackableModel['classes'];
  /** The device on which it takes images. @default 'cpu' */
  readonly device?: string;
}): AttackableModel {
  requireArgument(options, 'options', 'functionModel');
  requireArgument(options.name, 'text', 'the name of functionModel');
  requireArgument(options.classify, 'function', 'classify of functionModel');
  const { name, digest = `function:${name}`, shape = null, classes = null, device = 'cpu' } = options;
  const classify = foreignClassifier(options.classify, name);
  return {
    name,
    digest,
    shape,
    classes,
    preprocessing: null,
    device,
    classify: (x) => withTensorFloat32(false, () => classify(x)),
    forAttacks(form = {}) {
      if (form.computeDtype !== undefined)
        throw InputError.expected(
          'a model of Satin, whose layers are known,',
          `a search in ${form.computeDtype}`,
          name,
          'Its precision is its own; search in float32.',
        );
      if (form.derivative !== undefined)
        throw InputError.expected(
          'a model of Satin, whose activations are known,',
          '`surrogates`',
          name,
          `Its activations are not known; leave out the derivative of ${form.derivative.name}.`,
        );
      return { classify, ranBy: 'operators', [Symbol.dispose]: () => {} };
    },
    [Symbol.dispose]: () => {},
  };
}

/**
 * Builds the model of a file that was read, or of a path; see `readModelFile`.
 *
 * @throws {InputError} if the file cannot be used.
 */
export function openModel(
  source: string | ModelFile,
  options: ModelFileOptions & {
    /** @default 'cpu' */
    readonly device?: string;
  } = {},
): AttackableModel {
  requireArgument(options, 'options', 'openModel');
  if (typeof source !== 'string' && !('kind' in Object(source)))
    requireArgument(source, 'text', 'the path of openModel');
  const { device = 'cpu' } = options;
  requireArgument(device, 'text', 'the device of openModel');
  const file = typeof source === 'string' ? readModelFile(source, options) : source;
  const { path } = file;
  switch (file.kind) {
    case 'satin': {
      const { checkpoint } = file;
      return attackableModel(checkpointModel(checkpoint, device), {
        name: path,
        digest: checkpoint.weightsDigest,
        weights: weightsOrigin(path, checkpoint),
      });
    }
    case 'torchscript': {
      const { preprocessing, form } = file;
      const script = new TorchScriptModel(path, preprocessing, device);
      const { digest, classify } = script;
      return {
        ...functionModel({ name: path, digest, classify, device, ...form }),
        preprocessing,
        [Symbol.dispose]: () => script.dispose(),
      };
    }
    case 'weights': {
      const { model, digest } = importWeights(file.weights, { ...file, device });
      return { ...attackableModel(model, { name: path, digest }), isImported: file.isNamed !== true };
    }
  }
}
