import { InputError } from '../errors.js';
import { nameList } from '../user-input/name-list.js';
import type { WeightArray } from './module-weights.js';
import type { PickleValue } from './pickle.js';
import { readStridedArray } from './strided-array.js';
import { TorchFile } from './torch-file.js';
import { StridedView } from './torch-pickle.js';

/** Weights as they stand in a file. */
export interface StateDict {
  readonly path: string;
  readonly arrays: readonly WeightArray[];
  /** What stands beside the weights and is left out: `epoch`, `optimizer`. */
  readonly skipped: readonly string[];
}

/** Under these names training scripts keep the weights in a checkpoint. */
const wrappers = [
  'state_dict',
  'model_state_dict',
  'model_state',
  'model',
  'net',
  'network',
  'module',
  'weights',
  'params',
  'state_dict_ema',
  'model_ema',
  'ema_state_dict',
  'ema',
] as const;

/** Wrappers of wrappers of wrappers occur; deeper ones do not. */
const deepest = 3;

/**
 * The weights in a file that `torch.save` wrote: a state dict, or the one inside a checkpoint. Nothing that is pickled is
 * run, and each array is read when it is asked for. `entry` names which of several to take: `ema`, `teacher.model`.
 *
 * @throws {InputError} for what is no such file, holds more than weights, or holds several state dicts or none.
 */
export function readStateDict(
  path: string,
  { entry }: { readonly entry?: string | undefined } = {},
): StateDict {
  const file = TorchFile.open(path);
  const { map, beside } =
    entry === undefined ? weightsIn(path, file.value) : entryOf(path, file.value, entry);
  const arrays: WeightArray[] = [];
  const skipped = [...beside];
  for (const [key, value] of map)
    if (typeof key === 'string' && value instanceof StridedView)
      arrays.push(readStridedArray(file, key, value));
    else skipped.push(nameOf(key));
  return { path, arrays, skipped };
}

type Dictionary = ReadonlyMap<PickleValue, PickleValue>;

interface Found {
  readonly map: Dictionary;
  readonly beside: readonly string[];
}

function weightsIn(path: string, value: PickleValue, depth = 0): Found {
  if (!(value instanceof Map))
    throw noWeights(path, value instanceof StridedView ? 'one tensor' : 'no dictionary');
  const inner = depth === deepest ? [] : wrappers.filter((name) => holdsTensors(value.get(name) ?? null));
  const [first] = inner;
  if (first === undefined) {
    if (hasTensors(value)) return { map: value, beside: [] };
    throw noWeights(path, `a dictionary without tensors (${nameList([...value.keys()].map(nameOf))})`);
  }
  if (inner.length > 1)
    throw InputError.expected(
      'the name of one state dict',
      '`entry`',
      undefined,
      `${path} holds several: ${inner.join(', ')}.`,
    );
  const { map, beside } = weightsIn(path, value.get(first)!, depth + 1);
  const others = [...value.keys()].filter((key) => key !== first).map(nameOf);
  return { map, beside: [...others, ...beside] };
}

/** The state dict that a user names, with dots between the names. */
function entryOf(path: string, value: PickleValue, entry: string): Found {
  let at: PickleValue | undefined = value;
  for (const name of entry.split('.')) at = at instanceof Map ? at.get(name) : undefined;
  if (at === undefined) {
    const names = value instanceof Map ? [...value.keys()].map(nameOf) : [];
    throw InputError.expected(`one of ${nameList(names)}`, '`entry`', entry);
  }
  return weightsIn(path, at);
}

/** Itself, or in a wrapper inside. */
function holdsTensors(value: PickleValue, depth = 0): boolean {
  if (!(value instanceof Map) || depth === deepest) return false;
  return (
    hasTensors(value) || wrappers.some((name) => value.has(name) && holdsTensors(value.get(name)!, depth + 1))
  );
}

function hasTensors(map: Dictionary): boolean {
  for (const [key, value] of map) if (typeof key === 'string' && value instanceof StridedView) return true;
  return false;
}

function nameOf(key: PickleValue): string {
  return typeof key === 'string' || typeof key === 'number' ? String(key) : 'something without a name';
}

function noWeights(path: string, what: string): InputError {
  return InputError.expected(
    'a state dict',
    'the weights',
    path,
    `It holds ${what}. In Python: torch.save(model.state_dict(), 'weights.pt').`,
  );
}
