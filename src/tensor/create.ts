import type { TypedArray } from '../engine/addon.js';
import { native } from '../engine/native.js';
import { InputError } from '../errors.js';
import { requireArgument } from '../user-input/require-argument.js';
import { operator } from './operator.js';
import { type Dtype, handleOf, handlesOf, one, Tensor } from './tensor.js';

/**
 * A tensor with a copy of the elements of a typed array, whose type determines the dtype (BigInt64Array: int64). The upload
 * to a card does not wait for it.
 */
export function tensor(data: TypedArray, shape: readonly number[], device = 'cpu'): Tensor {
  return new Tensor(native().fromData(data, shape, device));
}

/** Class labels, ids or indices as an int64 tensor, [N]. */
export function integers(values: ArrayLike<number>, device = 'cpu'): Tensor {
  requireArgument(values, 'list', 'the values of integers');
  return tensor(BigInt64Array.from(Array.from(values, (value) => bigIntOf(value))), [values.length], device);
}

export function zeros(shape: readonly number[], dtype: Dtype = 'float32', device = 'cpu'): Tensor {
  return one(zerosOperator, shape, dtype, undefined, device);
}

export function ones(shape: readonly number[], dtype: Dtype = 'float32', device = 'cpu'): Tensor {
  return one(onesOperator, shape, dtype, undefined, device);
}

/** Zeros of the same shape, dtype, device and memory format. */
export function zerosLike(like: Tensor): Tensor {
  return one(zerosLikeOperator, handleOf(like, 'the tensor of zerosLike'));
}

/** 0, 1, ..., end − 1 as int64. */
export function range(end: number, device = 'cpu'): Tensor {
  requireArgument(end, 'whole', 'the end of range');
  return one(arange, end, 'int64', undefined, device);
}

/** Concatenates tensors along `dimension`. */
export function cat(tensors: readonly Tensor[], dimension = 0): Tensor {
  return one(catOperator, handlesOf(tensors, 'the tensors of cat'), dimension);
}

/** Stacks tensors of equal shape along a new `dimension`. */
export function stack(tensors: readonly Tensor[], dimension = 0): Tensor {
  return one(stackOperator, handlesOf(tensors, 'the tensors of stack'), dimension);
}

/** `yes` where `condition` (bool) is true, `no` elsewhere; shapes broadcast. */
export function where(condition: Tensor, yes: Tensor, no: Tensor): Tensor {
  return one(
    whereOperator,
    handleOf(condition, 'condition of where'),
    handleOf(yes, 'yes of where'),
    handleOf(no, 'no of where'),
  );
}

/** @throws {InputError} for what is no whole number. */
function bigIntOf(value: number): bigint {
  if (!Number.isInteger(value) && typeof value !== 'bigint')
    throw InputError.expected('whole numbers', 'the values of integers', value);
  return BigInt(value);
}

const zerosOperator = operator('aten::zeros');
const onesOperator = operator('aten::ones');
const zerosLikeOperator = operator('aten::zeros_like');
const arange = operator('aten::arange');
const catOperator = operator('aten::cat');
const stackOperator = operator('aten::stack');
const whereOperator = operator('aten::where', 'self');
