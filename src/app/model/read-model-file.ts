import { InputError } from '../../errors.js';
import type { ModelDescription } from '../../models/description.js';
import type { ExternalDescription } from '../../models/external-description.js';
import { type KnownName, knownDescription, knownPreprocessing } from '../../models/known-models.js';
import { modelKind } from '../../models/model-kind.js';
import { noPreprocessing, type Preprocessing } from '../../models/preprocessing.js';
import {
  type ReleasedModel,
  type ReleasedName,
  releasedDescription,
  releasedModels,
  releasedPreprocessing,
} from '../../models/released-models.js';
import { factsOf } from '../../models/torchscript-facts.js';
import { requireModestArchive } from '../../models/torchscript-sizes.js';
import { type Checkpoint, readCheckpoint } from '../../runs/checkpoint.js';
import { requireArgument } from '../../user-input/require-argument.js';
import { isSafetensors } from '../../weights/safetensors-signature.js';
import type { StateDict } from '../../weights/state-dict.js';
import { isTensorFlowCheckpoint } from '../../weights/tensorflow/checkpoint.js';
import { readWeightsFile } from '../../weights/weights-file.js';

export interface ModelFileOptions {
  /** The input format of a TorchScript file, or of weights without a normalisation, if not pixels in [0, 1]. */
  readonly preprocessing?: Preprocessing | null;
  /** The network that weights of another program belong to. */
  readonly external?: ExternalDescription | null;
  /** What a TorchScript file does not tell of its input and its outputs. */
  readonly stated?: StatedForm | null;
  /** Which of several state dicts in a checkpoint of another program. */
  readonly entry?: string | undefined;
  /** Which of the paper's released models the weights are, in place of the options above. */
  readonly released?: ReleasedName | undefined;
  /** Which of the models with a published robust accuracy the weights are, in place of the options above. */
  readonly known?: KnownName | undefined;
}

/** The form of a TorchScript model, as far as it is stated. */
export interface StatedForm {
  /** Channels, height and width of the images it takes. */
  readonly shape: ModelDescription['shape'] | null;
  /** Names of its classes, in the order of its outputs. */
  readonly classes: readonly string[] | null;
}

/** A model that was read from disk, with everything that is needed to build it. */
export type ModelFile = { readonly path: string } & (
  | { readonly kind: 'satin'; readonly checkpoint: Checkpoint }
  | {
      readonly kind: 'torchscript';
      readonly preprocessing: Preprocessing;
      readonly form: StatedForm;
      /** Whether the preprocessing was stated or is the default. */
      readonly isStated: boolean;
    }
  | {
      readonly kind: 'weights';
      readonly weights: StateDict;
      readonly description: ExternalDescription;
      readonly preprocessing: Preprocessing | null;
      /** Whether its network was given by the name of a model that is known to be it: `released` or `known`. */
      readonly isNamed?: boolean;
    }
);

/**
 * Reads what a user names as MODEL: a run folder (its best checkpoint), a checkpoint, a weights file, a TorchScript file
 * that PyTorch saved, or weights of another program, such as a checkpoint of TensorFlow named by its prefix. All are
 * recognised by their content. Every refusal of a model file is made here. Does not load the engine.
 *
 * @throws {InputError} if it is none of these, cannot be read, or does not take an option that is given;
 *   `weights-without-network` for weights of another program without `external`.
 */
export function readModelFile(path: string, options: ModelFileOptions = {}): ModelFile {
  requireArgument(path, 'text', 'the path of a model');
  requireArgument(options, 'options', 'readModelFile');
  const { preprocessing = null, external = null, stated = null, entry } = withNamed(options);
  const kind = modelKind(path);
  if (kind !== 'weights' && (external !== null || entry !== undefined))
    throw InputError.expected(
      'weights of another program',
      external === null ? '`entry`' : '`external`',
      path,
      'This file describes its own network.',
    );
  if (kind !== 'torchscript' && stated !== null && external === null)
    throw InputError.expected(
      'a TorchScript file',
      stated.shape === null ? '`classes`' : '`shape`',
      path,
      kind === 'satin'
        ? 'This file describes its own network.'
        : 'Weights need `external`: a description of their network.',
    );
  if (kind === 'satin') {
    if (preprocessing !== null)
      throw InputError.expected(
        'a TorchScript file or weights of another program',
        '`preprocessing`',
        path,
        'It is a model of Satin: it takes pixels in [0, 1], and its normalisation is its first layer.',
      );
    return { path, kind, checkpoint: readCheckpoint({ path }) };
  }
  if (kind === 'torchscript') {
    requireModestArchive(path);
    const facts = factsOf(path);
    return {
      path,
      kind,
      preprocessing: preprocessing ?? noPreprocessing,
      form: {
        shape: stated?.shape ?? facts?.shape ?? null,
        classes: stated?.classes ?? facts?.classes ?? null,
      },
      isStated: preprocessing !== null,
    };
  }
  if (external === null) {
    // A whole pickled module, or a choice between several state dicts, is said before the network is asked for.
    if (!isTensorFlowCheckpoint(path) && !isSafetensors(path)) readWeightsFile(path, { entry });
    throw new InputError(
      'weights-without-network',
      `Expected \`external\`${isTensorFlowCheckpoint(path) ? ', or `released` for a model of the paper,' : ''} for ${path}: it holds weights without a network, so the network has to be stated.`,
    );
  }
  const isNamed = options.released !== undefined || options.known !== undefined;
  return {
    path,
    kind,
    weights: readWeightsFile(path, { entry }),
    description: external,
    preprocessing,
    isNamed,
  };
}

/** The options that `released` or `known` stands for. @throws {InputError} if one of them is given too. */
function withNamed(options: ModelFileOptions): ModelFileOptions {
  const { released, known } = options;
  if (released !== undefined) {
    requireAlone(options, 'released');
    const model: ReleasedModel = releasedModels[released];
    return {
      external: releasedDescription(released),
      preprocessing: releasedPreprocessing,
      entry: model.entry,
    };
  }
  if (known === undefined) return options;
  const { entry, ...stated } = options; // the state dict of a file is no part of a published model
  requireAlone(stated, 'known');
  return { external: knownDescription(known), preprocessing: knownPreprocessing(known), entry };
}

function requireAlone(options: ModelFileOptions, kind: 'released' | 'known'): void {
  for (const [name, value] of Object.entries(options))
    if (name !== kind && value !== undefined && value !== null)
      throw InputError.expected(
        `no \`${name}\``,
        `the ${kind} model ${options[kind]}`,
        value,
        'Its name says everything about it.',
      );
}
