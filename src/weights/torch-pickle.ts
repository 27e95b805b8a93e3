import type { InputError } from '../errors.js';
import { PickleFunction, PickleObject, type PickleValue } from './pickle.js';
import type { Dtype } from './safetensors.js';

/** What `torch.save` pickles besides plain values, and the only names that its pickles may hold. */

/** `torch.FloatStorage` and the like: the element type of an array. */
export class StorageType extends PickleObject {
  constructor(readonly dtype: Dtype) {
    super();
  }
}

/** An array beside the pickle. Several tensors may look at it. */
export class Storage extends PickleObject {
  constructor(
    /** By which the file finds it. */
    readonly key: string,
    readonly dtype: Dtype,
    /** Elements. */
    readonly count: number,
    /** Elements of the array that lie before this one: old files have arrays that are parts of others. */
    readonly offset = 0,
  ) {
    super();
  }
}

/** A tensor: which elements of an array it shows. */
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

/** A value that is no weight, such as a dtype: only that it is there is known. */
export class Aside extends PickleObject {}

/**
 * What a name in a pickle stands for.
 *
 * @throws what `refused` makes, for every name that is not in the table.
 */
export function torchValue(
  name: string,
  {
    refused,
    broken,
  }: { readonly refused: (name: string) => InputError; readonly broken: (what: string) => InputError },
): PickleValue {
  const made = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (made !== undefined)
    return new PickleFunction(name, (values) => {
      const value = made(values);
      if (value === undefined) throw broken(`it calls ${name} in a way that PyTorch never did`);
      return value;
    });
  const dtype = /^torch\.(?:cuda\.)?(\w+)Storage$/.exec(name)?.[1];
  if (dtype !== undefined && Object.hasOwn(storageTypes, dtype)) return new StorageType(storageTypes[dtype]!);
  if (/^torch\.(?:u?int\d+|float\d+|bfloat16|bool)$/.test(name)) return new Aside();
  throw refused(name);
}

/** By the name that stands before `Storage`. */
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

/** Each makes a value of this module's; undefined for arguments that it never has. */
const functions: Readonly<Record<string, (values: readonly PickleValue[]) => PickleValue | undefined>> = {
  'collections.OrderedDict': dictionary,
  'collections.Counter': ([counts = new Map()]) => (counts instanceof Map ? counts : undefined),
  'torch._utils._rebuild_tensor_v2': view,
  'torch._utils._rebuild_tensor': view,
  'torch._utils._rebuild_parameter': parameter,
  'torch._utils._rebuild_parameter_with_state': parameter,
  'torch.Size': ([sizes]) => (Array.isArray(sizes) ? sizes : undefined),
  'torch.device': () => new Aside(),
  // numbers of numpy, such as the best accuracy so far
  'numpy.core.multiarray.scalar': () => new Aside(),
  'numpy._core.multiarray.scalar': () => new Aside(),
  'numpy.dtype': () => new Aside(),
  '_codecs.encode': () => new Aside(),
};

/** Empty, or from pairs, as Python 2 wrote it. */
function dictionary([pairs = []]: readonly PickleValue[]): PickleValue | undefined {
  if (!Array.isArray(pairs)) return undefined;
  const result = new Map<PickleValue, PickleValue>();
  for (const pair of pairs) {
    if (!Array.isArray(pair) || pair.length !== 2) return undefined;
    result.set(pair[0]!, pair[1]!);
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

function isCounts(value: PickleValue | undefined): value is number[] {
  return Array.isArray(value) && value.every(isCount);
}
