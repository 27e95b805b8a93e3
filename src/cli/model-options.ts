import { Option } from '@commander-js/extra-typings';
import { parseActivation } from '../activations/parse.js';
import { type ModelFile, readModelFile, type StatedForm } from '../app/model/read-model-file.js';
import { imagenetSynsets } from '../data/imagenet/synsets.js';
import { InputError } from '../errors.js';
import { modelNames, supportsSamePadding } from '../models/architectures/names.js';
import type { ModelDescription } from '../models/description.js';
import type { ExternalDescription } from '../models/external-description.js';
import { type KnownName, knownNames } from '../models/known-models.js';
import { modelKind } from '../models/model-kind.js';
import { placeholderClassNames } from '../models/placeholder-class-names.js';
import { inputRanges, type Preprocessing, requirePreprocessing } from '../models/preprocessing.js';
import { type ReleasedName, releasedNames } from '../models/released-models.js';
import { type Padding, paddings } from '../nn/same-padding.js';
import { commandLine } from '../provenance/command-line.js';
import { unknownName } from '../user-input/did-you-mean.js';
import { isTensorFlowCheckpoint } from '../weights/tensorflow/checkpoint.js';

/** Options that describe an external model. */
export const modelOptions = {
  inputRange: () =>
    new Option(
      '--input-range <black,white>',
      'input values of black and white for a PyTorch model (default: 0,1)',
    ).choices(inputRanges),
  mean: () =>
    new Option(
      '--mean <list>',
      'mean per channel in the input range, for the normalisation of a PyTorch model',
    ),
  std: () => new Option('--std <list>', 'standard deviation per channel in the input range'),
  architecture: () => new Option('--architecture <name>', 'architecture of external weights'),
  activation: () => new Option('--activation <name>', 'activation of external weights, such as relu'),
  classes: () =>
    new Option(
      '--classes <count|names>',
      'number of classes, or their names separated by commas, in the order of the outputs; imagenet for its 1,000 synsets',
    ),
  shape: () => new Option('--shape <CxHxW>', 'channels, height and width of the input, such as 3x32x32'),
  width: () => new Option('--width <factor>', 'width multiplier, if not the published width'),
  padding: () =>
    new Option(
      '--padding <kind>',
      'same for networks padded as in TensorFlow, such as tf_efficientnet_b0 (default: symmetric)',
    ).choices(paddings),
  normEpsilon: () =>
    new Option('--norm-epsilon <number>', 'epsilon of batch norm in external weights (default: 1e-5)'),
  entry: () =>
    new Option(
      '--entry <name>',
      'name of the state dict in a PyTorch checkpoint with several, such as ema; ema or raw for TensorFlow',
    ),
  released: () =>
    new Option(
      '--released <name>',
      "one of the paper's released models, in place of the options that describe it: docs/released.md",
    ),
  known: () =>
    new Option(
      '--known <name>',
      'a model with a published robust accuracy, such as Rice2020Overfitting, in place of the options that describe it, its ' +
        'data, threat model and attacks: docs/known-answers.md',
    ),
};

/** Command line options as strings. */
export interface PreprocessingWords {
  readonly inputRange?: string | undefined;
  readonly mean?: string | undefined;
  readonly std?: string | undefined;
}

/** Command line options as strings. */
export interface ExternalWords {
  readonly architecture?: string | undefined;
  readonly activation?: string | undefined;
  readonly classes?: string | undefined;
  readonly shape?: string | undefined;
  readonly width?: string | undefined;
  readonly padding?: Padding | undefined;
  readonly normEpsilon?: string | undefined;
}

/**
 * Reads the model argument with its options. A command that does not support external weights passes none of
 * `ExternalWords`; its error suggests to export the weights first.
 *
 * Does not load the engine.
 *
 * @throws {InputError} as `readModelFile` and the parsers.
 */
export function readTypedModel(
  path: string,
  words: PreprocessingWords &
    ExternalWords & {
      readonly entry?: string | undefined;
      readonly released?: string | undefined;
      readonly known?: string | undefined;
    },
  { takesWeights = false }: { readonly takesWeights?: boolean } = {},
): ModelFile {
  const preprocessing = parsePreprocessing(words);
  const isOfScript = takesWeights && areOfScript(words) && modelKind(path) !== 'weights';
  const external = takesWeights && !isOfScript ? parseExternalDescription(words) : null;
  const stated = isOfScript ? parseStatedForm(words) : null;
  try {
    const released = parseReleased(words.released);
    const known = parseKnown(words.known);
    return readModelFile(path, {
      preprocessing,
      external,
      stated,
      entry: words.entry,
      released,
      known,
    });
  } catch (error) {
    if (takesWeights || !(error instanceof InputError) || error.code !== 'weights-without-network')
      throw error;
    throw weightsAlone(path, { cause: error });
  }
}

/** Whether the words describe a TorchScript model, which contains its network. */
function areOfScript({ classes, shape, ...others }: ExternalWords): boolean {
  const { architecture, activation, width, padding, normEpsilon } = others;
  const isExternal = (architecture ?? activation ?? width ?? padding ?? normEpsilon) !== undefined;
  return !isExternal && (classes ?? shape) !== undefined;
}

/** Parses `--shape` and `--classes` for a TorchScript file. @throws {InputError} for invalid values */
function parseStatedForm({ classes, shape }: ExternalWords): StatedForm {
  if (/^\d+$/.test(classes ?? ''))
    throw InputError.expected(
      'names separated by commas, in the order of the outputs,',
      '--classes',
      classes,
      'The number of the classes of a TorchScript file is that of its outputs.',
    );
  return {
    shape: shape === undefined ? null : parseShape(shape),
    classes: classes === undefined ? null : parseClasses(classes),
  };
}

/** The error of commands that need a model file with a description. */
export function weightsAlone(
  path: string,
  { released, ...options }: ErrorOptions & { readonly released?: string | undefined } = {},
): InputError {
  const name = released ?? (isTensorFlowCheckpoint(path) ? 'res50-silu' : undefined);
  const words =
    name === undefined
      ? '--architecture resnet18 --activation relu --classes 10 --shape 3x32x32'
      : `--released ${name}`;
  return new InputError(
    'weights-without-network',
    `Expected a model but ${path} contains weights without a description of the network. Describe it once: ${commandLine(['export', path])} ` +
      `${words} --format safetensors --out model.safetensors`,
    options,
  );
}

/** @throws {InputError} for an unknown name. */
function parseReleased(text: string | undefined): ReleasedName | undefined {
  if (text === undefined) return undefined;
  const known = releasedNames.find((name) => name === text.toLowerCase());
  if (known !== undefined) return known;
  throw unknownName({ kind: 'a released model', name: '--released', received: text, known: releasedNames });
}

/** @throws {InputError} for an unknown name. */
export function parseKnown(text: string | undefined): KnownName | undefined {
  if (text === undefined) return undefined;
  const known = knownNames.find((name) => name.toLowerCase() === text.toLowerCase());
  if (known !== undefined) return known;
  throw unknownName({
    kind: 'a model of docs/known-answers.md',
    name: '--known',
    received: text,
    known: knownNames,
  });
}

/**
 * Parses `--input-range`, `--mean` and `--std`; null if none of them is given.
 *
 * @throws {InputError} for an unknown range, for anything but numbers, and for only one of mean and std.
 */
export function parsePreprocessing({ inputRange, mean, std }: PreprocessingWords): Preprocessing | null {
  if (inputRange === undefined && mean === undefined && std === undefined) return null;
  const known = inputRanges.find((each) => each === (inputRange ?? '0,1'));
  if (known === undefined)
    throw InputError.expected(`one of ${inputRanges.join(' ')}`, '--input-range', inputRange);
  const [black, white] = known.split(',').map(Number) as [number, number];
  const normalise =
    mean === undefined && std === undefined
      ? null
      : { mean: numbers(mean, '--mean'), std: numbers(std, '--std') };
  const preprocessing: Preprocessing = { range: [black, white], normalise };
  requirePreprocessing(preprocessing);
  return preprocessing;
}

function numbers(list: string | undefined, option: string): readonly number[] {
  const values = list?.split(',').map((text) => (text.trim() === '' ? Number.NaN : Number(text)));
  if (values === undefined || !values.every(Number.isFinite))
    throw InputError.expected(
      'numbers separated by commas, one per channel,',
      option,
      list,
      '--mean and --std must be given together.',
    );
  return values;
}

/**
 * Parses `--architecture`, `--activation`, `--classes`, `--shape`, `--width`, `--padding` and `--norm-epsilon`; null if
 * none of them is given. Does not load the engine.
 *
 * @throws {InputError} for missing or invalid values.
 */
export function parseExternalDescription(words: ExternalWords): ExternalDescription | null {
  const { architecture, activation, classes, shape, width = '1', padding, normEpsilon } = words;
  const given = [architecture, activation, classes, shape, words.width, padding, normEpsilon];
  if (given.every((each) => each === undefined)) return null;
  const known = modelNames.find((name) => name === architecture);
  if (known === undefined) {
    if (architecture === undefined)
      throw InputError.expected(`one of ${modelNames.join(', ')}`, '--architecture', architecture);
    throw unknownName({
      kind: 'an architecture',
      name: '--architecture',
      received: architecture,
      known: modelNames,
      remedy: 'docs/networks.md lists them; any other network can be traced in Python (docs/models.md).',
    });
  }
  if (activation === undefined)
    throw InputError.expected('the activation of the network, such as relu,', '--activation', activation);
  const factor = Number(width);
  if (!(factor > 0 && Number.isFinite(factor)))
    throw InputError.expected('a number above 0', '--width', width);
  if (padding === 'same' && !supportsSamePadding(known))
    throw InputError.expected(`symmetric, as ${known} is padded,`, '--padding', padding);
  const epsilon = normEpsilon === undefined ? undefined : Number(normEpsilon);
  if (epsilon !== undefined && !(epsilon > 0 && Number.isFinite(epsilon)))
    throw InputError.expected('a number above 0, such as 1e-3,', '--norm-epsilon', normEpsilon);
  return {
    architecture: known,
    activation: parseActivation(activation).name,
    width: factor,
    classes: parseClasses(classes),
    shape: parseShape(shape),
    ...(padding === 'same' && { padding }),
    ...(epsilon !== undefined && epsilon !== 1e-5 && { normEpsilon: epsilon }),
  };
}

/** Parses a number, `imagenet`, or names separated by commas in the order of the network's outputs. */
function parseClasses(text: string | undefined): readonly string[] {
  if (text === 'imagenet') return imagenetSynsets();
  const count = /^\d{1,6}$/.test(text ?? '') ? Number(text) : null;
  const names =
    count === null ? (text ?? '').split(',').map((name) => name.trim()) : placeholderClassNames(count);
  if (names.length < 2 || names.includes(''))
    throw InputError.expected('a number of at least 2, or names separated by commas,', '--classes', text);
  if (new Set(names).size < names.length) throw InputError.expected('distinct names', '--classes', text);
  return names;
}

function parseShape(text: string | undefined): ModelDescription['shape'] {
  const match = /^(\d{1,4})x(\d{1,5})x(\d{1,5})$/.exec(text ?? '');
  const [channels = 0, height = 0, width = 0] = (match ?? []).slice(1).map(Number);
  if (channels < 1 || height < 1 || width < 1)
    throw InputError.expected('channels, height and width, such as 3x32x32,', '--shape', text);
  return [channels, height, width];
}
