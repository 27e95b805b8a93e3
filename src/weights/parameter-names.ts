import { InputError } from '../errors.js';
import { nameList } from '../user-input/name-list.js';
import type { WeightArray } from './module-weights.js';

/** Weights under the names of a network of Satin's, which are those of torchvision, timm and RobustBench. */
export interface RenamedWeights {
  readonly arrays: readonly WeightArray[];
  /** Left out: they change nothing, or are the normalisation. */
  readonly skipped: readonly string[];
}

/** What PyTorch and its wrappers put before the names: DataParallel, torch.compile, a model within another. */
const prefixes = ['module.', '_orig_mod.', 'model.', 'net.', 'network.', 'backbone.', '1.'] as const;

/** `normalize.mean`, `mu`: the buffers of a layer that normalises, by the names that are in use. */
const normalisation =
  /^(?:(?:normali[sz]er?|normali[sz]ation|norm_layer|preprocess(?:ing)?|input_norm|0)\.)?(?:new_)?(?:(mean|mu)|(std|sigma))$/;

/** Copies that a checkpoint of robustness holds, and a block that TRADES' WideResNet makes and never uses. */
const unused = /^(?:attacker\.|sub_block1\.)/;

/**
 * Brings the names in a file to those of a network: prefixes are taken off, a normalisation (`foreignNormalise`) and what is
 * known to be unused are left out. Other names stay as they are, to be refused by name.
 *
 * @throws {InputError} where two arrays get one name.
 */
export function matchParameterNames(
  arrays: readonly WeightArray[],
  names: ReadonlySet<string>,
): RenamedWeights {
  const found = new Map<string, WeightArray>();
  const skipped: string[] = [];
  for (const array of arrays) {
    const name = withoutPrefixes(array.name, (each) => names.has(each));
    const twin = found.get(name);
    if (!names.has(name) && (unused.test(name) || halfOf(array.name) !== null)) skipped.push(array.name);
    else if (twin !== undefined)
      throw InputError.expected('one array', name, `two, ${twin.name} and ${array.name}`);
    else found.set(name, array);
  }
  return { arrays: [...found].map(([name, array]) => ({ ...array, name })), skipped };
}

/** What a layer inside a network subtracts from pixels in [0, 1] and divides them by, one number a channel. */
export interface Normalisation {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/**
 * The normalisation that stands among weights; null where none does.
 *
 * @throws {InputError} where it has one half only, or numbers that images of so many channels do not have.
 */
export function storedNormalisation(arrays: readonly WeightArray[], channels: number): Normalisation | null {
  const halves = { mean: [] as WeightArray[], std: [] as WeightArray[] };
  for (const array of arrays) {
    const half = halfOf(array.name);
    if (half !== null) halves[half].push(array);
  }
  const [mean, std] = [halves.mean[0], halves.std[0]];
  if (mean === undefined && std === undefined) return null;
  if (mean === undefined || std === undefined || halves.mean.length > 1 || halves.std.length > 1)
    throw InputError.expected(
      'one mean and one std',
      'the normalisation in the weights',
      nameList([...halves.mean, ...halves.std].map(({ name }) => name)),
    );
  return { mean: perChannel(mean, channels), std: perChannel(std, channels) };
}

/** Takes prefixes off until nothing is left to take, or the name is `known`. */
function withoutPrefixes(name: string, known: (name: string) => boolean): string {
  let rest = name;
  while (!known(rest)) {
    const prefix = prefixes.find((each) => rest.startsWith(each));
    if (prefix === undefined) return rest;
    rest = rest.slice(prefix.length);
  }
  return rest;
}

function halfOf(name: string): 'mean' | 'std' | null {
  const [, mean, std] = normalisation.exec(withoutPrefixes(name, () => false)) ?? [];
  return mean !== undefined ? 'mean' : std !== undefined ? 'std' : null;
}

function perChannel(array: WeightArray, channels: number): number[] {
  const { name, dtype, shape } = array;
  const count = shape.reduce((product, size) => product * size, 1);
  if ((dtype !== 'F32' && dtype !== 'F64') || (count !== 1 && count !== channels))
    throw InputError.expected(
      `${channels} floating-point numbers, one a channel,`,
      name,
      `${dtype} [${shape.join(', ')}]`,
    );
  const bytes = array.read().slice().buffer;
  const values = [...(dtype === 'F32' ? new Float32Array(bytes) : new Float64Array(bytes))];
  return count === channels ? values : Array.from({ length: channels }, () => values[0]!);
}
