import type { InputError } from '../errors.js';
import { keyOf, PickleFunction, PickleObject, type PickleValue } from './pickle.js';
import type { Dtype } from './safetensors.js';

/** The objects that `torch.save` pickles besides plain values; no other names are allowed in its pickles. */

/** The element type of an array: `torch.FloatStorage` and the like. */
export class StorageType extends PickleObject {
  constructor(readonly dtype: Dtype) {
    super();
  }
}

/** An array stored outside the pickle, possibly shared by several tensors. */
export class Storage extends PickleObject {
  constructor(
    /** Key of the array in the file. */
    readonly key: string,
    readonly dtype: Dtype,
    /** Number of elements. */
    readonly count: number,
    /** Offset in elements into the array: in legacy files a storage may be a view of another. */
    readonly offset = 0,
  ) {
    super();
  }
}

/** A tensor: a strided view of a storage. */
export class StridedView extends PickleObject {
  constructor(
    readonly storage: Storage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {
    super();
  }
}

/** A value irrelevant to the weights, such as a dtype. */
export class IgnoredValue extends PickleObject {}

/**
 * Resolves a name in a pickle.
 *
 * @throws the error returned by `forbidden` for every name that is not in the table.
 */
export function torchValue(
  name: string,
  {
    forbidden,
    broken,
  }: { readonly forbidden: (name: string) => InputError; readonly broken: (what: string) => InputError },
): PickleValue {
  const construct = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (construct !== undefined)
    return new PickleFunction(name, (values) => {
      const value = construct(values);
      if (value === undefined) throw broken(`it calls ${name} with invalid arguments`);
      return value;
    });
  const dtype = /^torch\.(?:cuda\.)?(\w+)Storage$/.exec(name)?.[1];
  if (dtype !== undefined && Object.hasOwn(storageTypes, dtype)) return new StorageType(storageTypes[dtype]!);
  if (/^torch\.(?:u?int\d+|float\d+|bfloat16|bool)$/.test(name)) return new IgnoredValue();
  throw forbidden(name);
}

/** Element types by the prefix of `Storage`. */
const storageTypes: Readonly<Record<string, Dtype>> = {
  Double: 'F64',
  Float: 'F32',
  Half: 'F16',
  BFloat16: 'BF16',
  Long: 'I64',
  Int: 'I32',
  Short: 'I16',
  Char: 'I8',
  Byte: 'U8',
  Bool: 'BOOL',
};

/** The allowed functions; each returns undefined for invalid arguments. */
const functions: Readonly<Record<string, (values: readonly PickleValue[]) => PickleValue | undefined>> = {
  'collections.OrderedDict': dictionary,
  'collections.Counter': ([counts = new Map()]) => (counts instanceof Map ? counts : undefined),
  'torch._utils._rebuild_tensor_v2': view,
  'torch._utils._rebuild_tensor': view,
  'torch._utils._rebuild_parameter': parameter,
  'torch._utils._rebuild_parameter_with_state': parameter,
  'torch.Size': ([sizes]) => (Array.isArray(sizes) ? sizes : undefined),
  'torch.device': () => new IgnoredValue(),
  // of plain values beside the weights; the module's name in Python 2 and 3
  '__builtin__.set': () => new IgnoredValue(),
  'builtins.set': () => new IgnoredValue(),
  // numpy scalars, such as the best accuracy so far
  'numpy.core.multiarray.scalar': () => new IgnoredValue(),
  'numpy._core.multiarray.scalar': () => new IgnoredValue(),
  'numpy.dtype': () => new IgnoredValue(),
  '_codecs.encode': () => new IgnoredValue(),
};

/** Empty, or from a list of pairs as in Python 2 pickles. */
function dictionary([pairs = []]: readonly PickleValue[]): PickleValue | undefined {
  if (!Array.isArray(pairs)) return undefined;
  const result = new Map<PickleValue, PickleValue>();
  for (const pair of pairs) {
    if (!Array.isArray(pair) || pair.length !== 2) return undefined;
    result.set(keyOf(pair[0]!), pair[1]!);
  }
  return result;
}

/** (storage, offset, shape, strides, ...) */
function view([storage, offset, shape, strides]: readonly PickleValue[]): PickleValue | undefined {
  if (!(storage instanceof Storage) || !isCount(offset) || !isCounts(shape) || !isCounts(strides))
    return undefined;
  return shape.length === strides.length ? new StridedView(storage, offset, shape, strides) : undefined;
}

/** (tensor, ...) */
function parameter([tensor]: readonly PickleValue[]): PickleValue | undefined {
  return tensor instanceof StridedView ? tensor : undefined;
}

export function isCount(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** More dimensions than any tensor has: the limit of libtorch's iterators. */
const maxDimensions = 64;

function isCounts(value: PickleValue | undefined): value is number[] {
  return Array.isArray(value) && value.length <= maxDimensions && value.every(isCount);
}
