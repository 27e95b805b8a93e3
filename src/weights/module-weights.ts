import { InputError } from '../errors.js';
import type { Module } from '../nn/module.js';
import { tensor } from '../tensor/create.js';
import { noGrad } from '../tensor/gradient.js';
import { scope } from '../tensor/scope.js';
import type { Dtype, Tensor } from '../tensor/tensor.js';
import { nameList } from '../user-input/name-list.js';
import { widenHalfPrecision } from './half-precision.js';
import type { NamedArray, Dtype as StoredDtype } from './safetensors.js';

const storedDtypes: Partial<Record<Dtype, StoredDtype>> = {
  float32: 'F32',
  float64: 'F64',
  int64: 'I64',
  int32: 'I32',
  uint8: 'U8',
};

/** Converts named tensors to the arrays of a safetensors file. */
export function toArrays(tensors: ReadonlyMap<string, Tensor>): NamedArray[] {
  return [...tensors].map(([name, each]) => {
    const dtype = storedDtypes[each.dtype];
    if (dtype === undefined)
      throw InputError.expected(
        'float32, float64, int64, int32 or uint8',
        `the dtype of ${name}`,
        each.dtype,
      );
    const data = each.data();
    return {
      name,
      dtype,
      shape: each.shape,
      bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    };
  });
}

/** Converts an array of a safetensors file to a tensor; half precision is converted to float32, which is exact. */
export function toTensor({ name, dtype, shape, bytes }: NamedArray): Tensor {
  const buffer = bytes.slice().buffer; // a copy is aligned
  switch (dtype) {
    case 'F32':
      return tensor(new Float32Array(buffer), shape);
    case 'F64':
      return tensor(new Float64Array(buffer), shape);
    case 'F16':
    case 'BF16':
      return tensor(widenHalfPrecision(new Uint16Array(buffer), dtype), shape);
    case 'I64':
      return tensor(new BigInt64Array(buffer), shape);
    case 'I32':
      return tensor(new Int32Array(buffer), shape);
    case 'U8':
      return tensor(new Uint8Array(buffer), shape);
    case 'I16':
    case 'I8':
    case 'BOOL':
      throw InputError.expected('F64, F32, F16, BF16, I64, I32 or U8', `the element type of ${name}`, dtype);
  }
}

/** An array whose elements are read lazily. */
export interface WeightArray extends Omit<NamedArray, 'bytes'> {
  readonly read: () => Uint8Array;
}

export interface LoadWeightsOptions {
  /** Name of a layer to leave at its initialisation, whatever the arrays hold for it. */
  readonly fresh?: string | undefined;
  /** The source of the arrays, for error messages. @default `the weights` */
  readonly source?: string;
}

/**
 * Copies arrays into the network's tensors of the same names, one at a time. The `num_batches_tracked` counters of batch
 * norm, which nothing reads, may be missing, and are left out where they have another shape or element type.
 *
 * @throws {InputError} naming what is missing, unexpected or of another shape; the network is then unchanged.
 */
export function loadWeights(
  network: Module,
  arrays: readonly (NamedArray | WeightArray)[],
  { fresh, source = 'the weights' }: LoadWeightsOptions = {},
): void {
  const isFresh = (name: string) => fresh !== undefined && name.startsWith(`${fresh}.`);
  const targets = new Map([...network.state()].filter(([name]) => !isFresh(name)));
  const isUnread = ({ name, shape, dtype }: NamedArray | WeightArray) => {
    const target = targets.get(name);
    if (target === undefined || !isCounter(name)) return false;
    return shape.join() !== target.shape.join() || !isExact(dtype, target.dtype);
  };
  const sources = new Map(
    arrays.filter((array) => !isFresh(array.name) && !isUnread(array)).map((array) => [array.name, array]),
  );
  requireShapes(
    new Map([...targets].map(([name, { shape }]) => [name, shape])),
    [...sources.values()],
    source,
  );
  requireExact(targets, sources);
  noGrad(() => {
    for (const [name, target] of targets) {
      const array = sources.get(name);
      if (array === undefined) continue;
      scope(() => target.copy_(toTensor('bytes' in array ? array : { ...array, bytes: array.read() })));
    }
  });
}

/**
 * Requires that arrays are those of a network with the tensors `targets`, shapes by name; whatever the counters of batch
 * norm are.
 *
 * @throws {InputError} naming what is missing, unexpected or of another shape.
 */
export function requireShapes(
  targets: ReadonlyMap<string, readonly number[]>,
  arrays: readonly Pick<NamedArray, 'name' | 'shape'>[],
  source: string,
): void {
  const sources = new Map(arrays.map((array) => [array.name, array]));
  const missing = [...targets.keys()].filter((name) => !sources.has(name) && !isCounter(name));
  const extra = [...sources.keys()].filter((name) => !targets.has(name));
  const misshapen = [...targets].flatMap(([name, shape]) => {
    const found = sources.get(name)?.shape ?? shape;
    return found.join() === shape.join() || isCounter(name)
      ? []
      : [`${name} has shape [${found.join(', ')}] instead of [${shape.join(', ')}]`];
  });
  const problems = [
    ...(missing.length > 0 ? [`${countOf(missing)} missing (${nameList(missing)})`] : []),
    ...(extra.length > 0 ? [`${countOf(extra)} unexpected (${nameList(extra)})`] : []),
    ...(misshapen.length > 0 ? [`${countOf(misshapen)} of another shape (${nameList(misshapen)})`] : []),
  ];
  if (problems.length > 0)
    throw new InputError(
      'weights-do-not-fit',
      `Expected the weights of this network in ${source} but ${problems.join(', ')}.`,
    );
}

function requireExact(
  targets: ReadonlyMap<string, Tensor>,
  sources: ReadonlyMap<string, Pick<NamedArray, 'dtype'>>,
): void {
  for (const [name, { dtype }] of sources) {
    const target = targets.get(name)!.dtype;
    if (!isExact(dtype, target))
      throw InputError.expected(
        `${target} or a dtype that converts to it exactly`,
        `the element type of ${name}`,
        dtype,
        "In Python: torch.save(model.float().state_dict(), 'weights.pt').",
      );
  }
}

const isCounter = (name: string) => name.endsWith('num_batches_tracked');

const countOf = (names: readonly string[]) => (names.length === 1 ? 'one is' : `${names.length} are`);

/** Whether the conversion is exact: no double to single precision, and no floating point to integer. */
function isExact(from: StoredDtype, to: Dtype): boolean {
  if (to === 'float64') return ['F64', 'F32', 'F16', 'BF16'].includes(from);
  return to === 'float32' ? ['F32', 'F16', 'BF16'].includes(from) : ['I64', 'I32', 'U8'].includes(from);
}
