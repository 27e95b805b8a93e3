import { InputError } from '../../errors.js';
import type { ModelDescription } from '../../models/description.js';
import type { Model } from '../../models/model.js';
import { modelKind } from '../../models/model-kind.js';
import { arePlaceholders } from '../../models/placeholder-class-names.js';
import { type Checkpoint, readCheckpoint } from '../../runs/checkpoint.js';
import { nameList } from '../../user-input/name-list.js';
import { loadWeights } from '../../weights/module-weights.js';
import { matchParameterNames, storedNormalisation } from '../../weights/parameter-names.js';
import type { StateDict } from '../../weights/state-dict.js';
import { type ReadWeightsOptions, readWeightsFile } from '../../weights/weights-file.js';

/** Weights that training starts from: of a model of Satin, or a state dict of another program. */
export type InitialWeights = Checkpoint | StateDict;

/**
 * Reads the weights that training starts from. Does not load the engine.
 *
 * @throws {InputError} if `path` holds no weights.
 */
export function readInitialWeights(path: string, options: ReadWeightsOptions = {}): InitialWeights {
  const kind = modelKind(path);
  if (kind === 'weights') return readWeightsFile(path, options);
  if (kind === 'torchscript')
    throw InputError.expected(
      'weights',
      '`init`',
      path,
      "It is TorchScript, a program. In Python: torch.save(torch.jit.load(path).state_dict(), 'weights.pt').",
    );
  if (options.entry !== undefined)
    throw InputError.expected(
      'a checkpoint of PyTorch',
      '`entry`',
      options.entry,
      `${path} is one of Satin.`,
    );
  return readCheckpoint({ path });
}

/**
 * Loads initial weights into a network. With `newHead` the last layer keeps its random initialisation, so that the
 * classes may differ.
 *
 * @throws {InputError} for weights of another architecture or width, and for other classes without `newHead`.
 */
export function initialise(
  model: Model,
  init: InitialWeights,
  { newHead }: { readonly newHead: boolean },
): void {
  const { network } = model;
  const fresh = newHead ? network.head : undefined;
  if (!('arrays' in init)) {
    requireSameNetwork(model, init, newHead);
    loadWeights(network, init.weights, { fresh, source: init.weightsFile });
    return;
  }
  const { path, arrays, arraysFor } = init;
  requireSameNormalisation(model, init);
  const names = new Set(network.state().keys());
  const renamed = matchParameterNames(arraysFor?.(names) ?? arrays, names);
  const rows = renamed.arrays.find(({ name }) => name === `${network.head}.weight`)?.shape[0];
  const { classes } = model.description;
  if (!newHead && rows !== undefined && rows !== classes.length)
    throw InputError.expected(`${classes.length} classes`, '`init`', `${path} with ${rows}`, remedy);
  loadWeights(network, renamed.arrays, { fresh, source: path });
}

const remedy = 'Set `newHead` to initialise the last layer afresh.';

function requireSameNetwork({ description }: Model, init: Checkpoint, newHead: boolean): void {
  const { classes } = description;
  const from = init.model;
  if (nameOf(from) !== nameOf(description))
    throw InputError.expected(nameOf(description), '`init`', nameOf(from));
  const differ = arePlaceholders(from.classes)
    ? from.classes.length !== classes.length
    : from.classes.join('\n') !== classes.join('\n');
  if (differ && !newHead)
    throw InputError.expected(
      `the classes ${nameList(classes, 10)}`,
      '`init`',
      nameList(from.classes, 10),
      remedy,
    );
}

/** What must be the same for the weights to mean the same. */
function nameOf({ architecture, width, padding, normEpsilon }: ModelDescription): string {
  const padded = padding === undefined ? '' : ` with model.padding ${padding}`;
  const epsilon = normEpsilon === undefined ? '' : ` with model.normEpsilon ${normEpsilon}`;
  return `a ${architecture} of width ${width}${padded}${epsilon}`;
}

/** Tolerates rounding, and statistics of a data set that were measured with another precision. */
const closeEnough = 0.01;

/** @throws {InputError} if the normalisation in the weights is not the recipe's; the remedy is the setting to use. */
function requireSameNormalisation({ description }: Model, { path, arrays }: StateDict): void {
  const held = storedNormalisation(arrays, description.shape[0]);
  if (held === null) return;
  const own = description.normalise ?? { mean: [0], std: [1] };
  const differs = (key: 'mean' | 'std') =>
    held[key].some((value, channel) => Math.abs(value - (own[key][channel] ?? own[key][0]!)) > closeEnough);
  if (differs('mean') || differs('std'))
    throw InputError.expected(
      `the normalisation of the weights in ${path}`,
      'model.normalise',
      description.normalise,
      `Set model.normalise={mean: [${held.mean.map(brief).join(', ')}], std: [${held.std.map(brief).join(', ')}]}.`,
    );
}

const brief = (value: number) => Number(value.toPrecision(6));
