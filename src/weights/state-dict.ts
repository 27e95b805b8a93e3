import { InputError } from '../errors.js';
import { nameList } from '../user-input/name-list.js';
import type { WeightArray } from './module-weights.js';
import { NumberKey, type PickleValue } from './pickle.js';
import { readStridedArray } from './strided-array.js';
import { TorchFile } from './torch-file.js';
import { StridedView } from './torch-pickle.js';

/** The weights in a file. */
export interface StateDict {
  readonly path: string;
  /** The files that hold them, for the digest. */
  readonly files: readonly string[];
  readonly arrays: readonly WeightArray[];
  /** In place of `arrays` for TensorFlow, whose names depend on the network: the weights of one with these tensors. */
  readonly arraysFor?: (names: ReadonlySet<string>) => readonly WeightArray[];
  /** Other entries of the checkpoint, which are ignored: `epoch`, `optimizer`. */
  readonly skipped: readonly string[];
}

/** Keys under which training scripts store the weights in a checkpoint. */
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

/** Maximum nesting of these keys. */
const maxDepth = 3;

/**
 * Reads the weights from a file written by `torch.save`: a state dict, or one inside a checkpoint. No pickled code is
 * executed, and arrays are read lazily. `entry` selects one of several state dicts: `ema`, `teacher.model`.
 *
 * @throws {InputError} for a file of another kind, with objects other than tensors and plain data, or with no or
 * several
 *   state dicts.
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
  return { path, files: [path], arrays, skipped };
}

type Dictionary = ReadonlyMap<PickleValue, PickleValue>;

interface Found {
  readonly map: Dictionary;
  readonly beside: readonly string[];
}

function weightsIn(path: string, value: PickleValue, depth = 0): Found {
  if (!(value instanceof Map))
    throw noStateDict(path, value instanceof StridedView ? 'a single tensor' : 'no dictionary');
  const inner = depth === maxDepth ? [] : wrappers.filter((name) => holdsTensors(value.get(name) ?? null));
  const [first] = inner;
  if (first === undefined) {
    const others = entriesIn(value);
    const own = tensorsIn(value);
    if (others.some(({ count }) => count > own))
      throw InputError.expected(
        'the name of the state dict',
        '`entry`',
        undefined,
        `${path} holds weights as ${nameList(others.map(({ name }) => name))}.`,
      );
    if (own > 0) return { map: value, beside: [] };
    throw noStateDict(path, `a dictionary without tensors (${nameList([...value.keys()].map(nameOf))})`);
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

/** The state dict selected by a dotted name. */
function entryOf(path: string, value: PickleValue, entry: string): Found {
  let selected: PickleValue | undefined = value;
  for (const name of entry.split('.')) selected = selected instanceof Map ? selected.get(name) : undefined;
  if (selected === undefined) {
    const names = value instanceof Map ? [...value.keys()].map(nameOf) : [];
    throw InputError.expected(`one of ${nameList(names)}`, '`entry`', entry);
  }
  return weightsIn(path, selected);
}

/** Whether it contains tensors, directly or in a nested state dict. */
function holdsTensors(value: PickleValue, depth = 0): boolean {
  if (!(value instanceof Map) || depth === maxDepth) return false;
  return (
    hasTensors(value) || wrappers.some((name) => value.has(name) && holdsTensors(value.get(name)!, depth + 1))
  );
}

function hasTensors(map: Dictionary): boolean {
  return tensorsIn(map) > 0;
}

/** Number of named tensors directly in a dictionary: counted once, since a file may refer to it many times. */
function tensorsIn(map: Dictionary): number {
  const known = tensorCounts.get(map);
  if (known !== undefined) return known;
  let count = 0;
  for (const [key, value] of map) if (typeof key === 'string' && value instanceof StridedView) count++;
  tensorCounts.set(map, count);
  return count;
}

const tensorCounts = new WeakMap<Dictionary, number>();

interface Entry {
  /** Dotted. */
  readonly name: string;
  /** Number of its tensors. */
  readonly count: number;
}

/** More state dicts than any checkpoint holds: further ones are not looked for. */
const maxEntries = 1000;

/**
 * The dictionaries with named tensors inside a dictionary. Each is searched once at each depth, since a file may refer
 * to it many times.
 */
function entriesIn(
  map: Dictionary,
  depth = 1,
  known: readonly Map<Dictionary, readonly Entry[]>[] = Array.from({ length: maxDepth + 1 }, () => new Map()),
): readonly Entry[] {
  const before = known[depth]!.get(map);
  if (before !== undefined) return before;
  const found: Entry[] = [];
  for (const [key, value] of map) {
    if (found.length >= maxEntries) break;
    if (typeof key !== 'string' || !(value instanceof Map)) continue;
    const count = tensorsIn(value);
    if (count > 0) found.push({ name: key, count });
    else if (depth < maxDepth)
      for (const entry of entriesIn(value, depth + 1, known))
        found.push({ ...entry, name: `${key}.${entry.name}` });
  }
  known[depth]!.set(map, found);
  return found;
}

function nameOf(key: PickleValue): string {
  if (key instanceof NumberKey) return String(key.value);
  return typeof key === 'string' ? key : 'an unnamed entry';
}

function noStateDict(path: string, what: string): InputError {
  return InputError.expected(
    'a state dict',
    'the weights',
    path,
    `It holds ${what}. In Python: torch.save(model.state_dict(), 'weights.pt').`,
  );
}
