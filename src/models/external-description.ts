import { parseActivation } from '../activations/parse.js';
import { InputError } from '../errors.js';
import { nearest } from '../user-input/did-you-mean.js';
import { modelNames } from './architectures/names.js';
import type { ModelDescription } from './description.js';
import type { ModelKind } from './model-kind.js';
import { placeholderClassNames } from './placeholder-class-names.js';
import type { Preprocessing } from './preprocessing.js';

/** What must be said of weights that another program wrote: everything but the normalisation, which they may hold. */
export type ExternalDescription = Omit<ModelDescription, 'normalise'>;

/** As typed. */
export interface ExternalWords {
  readonly architecture?: string | undefined;
  readonly activation?: string | undefined;
  readonly classes?: string | undefined;
  readonly shape?: string | undefined;
  readonly width?: string | undefined;
}

/**
 * Reads `--architecture`, `--activation`, `--classes`, `--shape` and `--width`; null where none of them is given.
 *
 * @throws {InputError} for what is missing or none of what there is. Loads no engine.
 */
export function parseExternalDescription(words: ExternalWords): ExternalDescription | null {
  const { architecture, activation, classes, shape, width = '1' } = words;
  if ([architecture, activation, classes, shape, words.width].every((each) => each === undefined))
    return null;
  const known = modelNames.find((name) => name === architecture);
  if (known === undefined) {
    const meant = architecture === undefined ? undefined : nearest(architecture, modelNames);
    throw InputError.expected(
      `one of ${modelNames.join(', ')}`,
      '--architecture',
      architecture,
      meant === undefined ? undefined : `Did you mean '${meant}'?`,
    );
  }
  if (activation === undefined)
    throw InputError.expected('the activation of the network, such as relu,', '--activation', activation);
  const factor = Number(width);
  if (!(factor > 0 && Number.isFinite(factor)))
    throw InputError.expected('a number above 0', '--width', width);
  return {
    architecture: known,
    activation: parseActivation(activation).name,
    width: factor,
    classes: parseClasses(classes),
    shape: parseShape(shape),
  };
}

/** @throws {InputError} where a model says itself what it is, or where nobody does. */
export function requireForeignTakes(
  kind: ModelKind,
  {
    path,
    foreign,
    entry,
  }: {
    readonly path: string;
    readonly foreign: ExternalDescription | null;
    readonly entry?: string | undefined;
  },
): void {
  if (kind === 'weights' && foreign === null)
    throw InputError.expected(
      '--architecture, --activation, --classes and --shape',
      path,
      undefined,
      'It holds weights without a network, so it has to be said whose they are. docs/weights.md tells more.',
    );
  if (kind !== 'weights' && (foreign !== null || entry !== undefined))
    throw InputError.expected(
      'weights of another program',
      '--architecture, --activation, --classes, --shape, --width and --entry',
      path,
      'It says itself what it is.',
    );
}

/** A number, or names with commas between them, in the order of the network's outputs. */
function parseClasses(text: string | undefined): readonly string[] {
  const count = /^\d{1,6}$/.test(text ?? '') ? Number(text) : null;
  const names =
    count === null ? (text ?? '').split(',').map((name) => name.trim()) : placeholderClassNames(count);
  if (names.length < 2 || names.includes(''))
    throw InputError.expected(
      'a number of at least 2, or names with commas between them,',
      '--classes',
      text,
    );
  if (new Set(names).size < names.length) throw InputError.expected('names that differ', '--classes', text);
  return names;
}

function parseShape(text: string | undefined): ModelDescription['shape'] {
  const match = /^(\d{1,4})x(\d{1,5})x(\d{1,5})$/.exec(text ?? '');
  const [channels = 0, height = 0, width = 0] = (match ?? []).slice(1).map(Number);
  if (channels < 1 || height < 1 || width < 1)
    throw InputError.expected('channels, height and width, such as 3x32x32,', '--shape', text);
  return [channels, height, width];
}

/** What `input` says as a normalisation of pixels in [0, 1]: (black + x (white − black) − mean) / std. */
export function asNormalisation(
  { range: [black, white], normalise }: Preprocessing,
  channels: number,
): NonNullable<ModelDescription['normalise']> | null {
  if (black === 0 && white === 1 && normalise === null) return null;
  const each = (values: readonly number[]) =>
    values.length === 1 ? Array.from({ length: channels }, () => values[0]!) : [...values];
  const { mean, std } = normalise ?? { mean: [0], std: [1] };
  const extent = white - black;
  return {
    mean: each(mean.map((value) => (value - black) / extent)),
    std: each(std.map((value) => value / extent)),
  };
}
