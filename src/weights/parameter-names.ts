import { InputError } from '../errors.js';
import { nameList } from '../user-input/name-list.js';
import { fromDeepMind } from './deepmind-names.js';
import { widenHalfPrecision } from './half-precision.js';
import type { WeightArray } from './module-weights.js';
import type { Dtype } from './safetensors.js';

/** Weights by the parameter names of a Satin network, which follow torchvision, timm and RobustBench. */
export interface RenamedWeights {
  readonly arrays: readonly WeightArray[];
  /** Names of arrays left out because they are unused or belong to the normalisation. */
  readonly skipped: readonly string[];
}

/** Prefixes added by PyTorch and wrappers: DataParallel, torch.compile, a model inside another. */
const prefixes = ['module.', '_orig_mod.', 'model.', 'net.', 'network.', 'backbone.', '1.'] as const;

/** Buffers of a normalisation layer under their common names: `normalize.mean`, `mu`. */
const normalisation =
  /^(?:(?:normali[sz]er?|normali[sz]ation|norm_layer|preprocess(?:ing)?|input_norm|0)\.)?(?:new_)?(?:(mean|mu)|(std|sigma))$/;

/**
 * Duplicate weights in checkpoints of the robustness library, an unused block of TRADES' WideResNet, the counter of
 * PyTorch's AveragedModel, and the counters that thop adds to every layer.
 */
const unused = /^(?:attacker\.|sub_block1\.|n_averaged$)|(?:^|\.)total_(?:ops|params)$/;

/**
 * Maps the array names of a file to the parameter names of a network: strips prefixes, translates DeepMind's, and leaves out the normalisation
 * (see `storedNormalisation`) and arrays known to be unused. Other names are kept, so that loading reports them.
 *
 * @throws {InputError} if two arrays map to one name.
 */
export function matchParameterNames(
  arrays: readonly WeightArray[],
  names: ReadonlySet<string>,
): RenamedWeights {
  const found = new Map<string, WeightArray>();
  const skipped: string[] = [];
  for (const array of arrays) {
    const bare = withoutPrefixes(array.name, (each) => names.has(each));
    const translated = names.has(bare) ? null : fromDeepMind(bare);
    const name = translated !== null && names.has(translated) ? translated : bare;
    const duplicate = found.get(name);
    if (!names.has(name) && (unused.test(name) || normalisationPart(array.name) !== null))
      skipped.push(array.name);
    else if (duplicate !== undefined)
      throw InputError.expected('one array', name, `two, ${duplicate.name} and ${array.name}`);
    else found.set(name, array);
  }
  return { arrays: [...found].map(([name, array]) => ({ ...array, name })), skipped };
}

/** The per-channel mean and standard deviation of a normalisation layer for pixels in [0, 1]. */
export interface Normalisation {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/**
 * The normalisation stored among the weights; null if there is none.
 *
 * @throws {InputError} if mean or std is missing or ambiguous, or does not match the number of channels.
 */
export function storedNormalisation(arrays: readonly WeightArray[], channels: number): Normalisation | null {
  const parts = { mean: [] as WeightArray[], std: [] as WeightArray[] };
  for (const array of arrays) {
    const part = normalisationPart(array.name);
    if (part !== null) parts[part].push(array);
  }
  const [mean, std] = [parts.mean[0], parts.std[0]];
  if (mean === undefined && std === undefined) return null;
  if (mean === undefined || std === undefined || parts.mean.length > 1 || parts.std.length > 1)
    throw InputError.expected(
      'one mean and one std',
      'the normalisation in the weights',
      nameList([...parts.mean, ...parts.std].map(({ name }) => name)),
    );
  return { mean: perChannel(mean, channels), std: perChannel(std, channels) };
}

/** Strips prefixes until none is left or the name is `known`. */
function withoutPrefixes(name: string, known: (name: string) => boolean): string {
  let stripped = name;
  while (!known(stripped)) {
    const prefix = prefixes.find((each) => stripped.startsWith(each));
    if (prefix === undefined) return stripped;
    stripped = stripped.slice(prefix.length);
  }
  return stripped;
}

function normalisationPart(name: string): 'mean' | 'std' | null {
  const [, mean, std] = normalisation.exec(withoutPrefixes(name, () => false)) ?? [];
  return mean !== undefined ? 'mean' : std !== undefined ? 'std' : null;
}

const floating = ['F64', 'F32', 'F16', 'BF16'] as const;
type Floating = (typeof floating)[number];

const isFloating = (dtype: Dtype): dtype is Floating => floating.some((each) => each === dtype);

function floats(dtype: Floating, bytes: ArrayBuffer): Float32Array | Float64Array {
  if (dtype === 'F64') return new Float64Array(bytes);
  return dtype === 'F32' ? new Float32Array(bytes) : widenHalfPrecision(new Uint16Array(bytes), dtype);
}

function perChannel(array: WeightArray, channels: number): number[] {
  const { name, dtype, shape } = array;
  const count = shape.reduce((product, size) => product * size, 1);
  if (!isFloating(dtype) || (count !== 1 && count !== channels))
    throw InputError.expected(
      `${channels} floating-point numbers, one per channel,`,
      name,
      `${dtype} [${shape.join(', ')}]`,
    );
  const values = [...floats(dtype, array.read().slice().buffer)];
  return count === channels ? values : Array.from({ length: channels }, () => values[0]!);
}

/** Whether the arrays are those of a network of DeepMind's, which is padded as TensorFlow's `SAME`. */
export function areDeepMinds(arrays: readonly WeightArray[]): boolean {
  return arrays.some(({ name }) => withoutPrefixes(name, () => false).startsWith('init_conv.'));
}
