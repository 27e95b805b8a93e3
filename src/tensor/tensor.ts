import type { Handle, OperatorArgument, TypedArray } from '../engine/addon.js';
import { native } from '../engine/native.js';
import { DisposedError, InputError } from '../errors.js';
import { requireArgument } from '../user-input/require-argument.js';
import { handles, inPlace, oneHandle, operator } from './operator.js';
import { adopt, type Scoped, scope } from './scope.js';

export type Dtype = 'float32' | 'float64' | 'float16' | 'bfloat16' | 'int64' | 'int32' | 'uint8' | 'bool';
export type MemoryFormat = 'contiguous' | 'channels-last' | 'preserve';
/** The other operand of an arithmetic operator: a tensor (shapes broadcast) or a number. */
export type Operand = Tensor | number;

/** The handle of an argument. @throws {InputError} naming it, if it is no tensor. */
export function handleOf(value: Tensor, name: string): Handle {
  if (value instanceof Tensor) return value.handle;
  throw InputError.expected('a tensor', name, value);
}

/** The handle of an argument that may be left out. @throws {InputError} as `handleOf` */
export function optionalHandle(value: Tensor | null | undefined, name: string): Handle | undefined {
  return value === undefined || value === null ? undefined : handleOf(value, name);
}

/** The handles of a list. @throws {InputError} naming it, if it is none of tensors. */
export function handlesOf(values: readonly Tensor[], name: string): Handle[] {
  requireArgument(values, 'list', name);
  return values.map((value) => handleOf(value, `each of ${name}`));
}

/** Frees the memory of tensors that were garbage collected without being disposed of. */
const finalizer = new FinalizationRegistry<Handle>((handle) => native().release(handle));

/**
 * An n-dimensional array in libtorch's memory, outside the JavaScript heap. It is freed by the scope in which it was
 * created, by `dispose()` or by `using`; see docs/memory.md. Methods return a new tensor; those whose name ends in `_`
 * modify the tensor in place and return it.
 */
export class Tensor implements Scoped, Disposable {
  #handle: Handle;
  #shape: readonly number[] | undefined;

  /** @internal Tensors are created by `tensor`, `zeros` and operators; an invalid handle is rejected on use. */
  constructor(handle: Handle) {
    this.#handle = handle;
    if (!adopt(this)) this.escape();
  }

  /** @internal The engine's handle. */
  get handle(): Handle {
    if (this.#handle === 0)
      throw new DisposedError(
        'Expected a live tensor but received one that was disposed of. Keep it with keep(), or return it from its scope.',
      );
    return this.#handle;
  }

  /** @internal Called when it leaves its scope: registers it with the finalizer. */
  escape(): void {
    if (this.#handle !== 0) finalizer.register(this, this.#handle);
  }

  get disposed(): boolean {
    return this.#handle === 0;
  }

  /** Frees the memory immediately. Idempotent. */
  dispose(): void {
    if (this.#handle === 0) return;
    native().release(this.#handle);
    this.#handle = 0;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  get shape(): readonly number[] {
    const { handle } = this; // throws if disposed, even if the shape is cached
    this.#shape ??= native().shapeOf(handle);
    return this.#shape;
  }

  get dtype(): Dtype {
    return native().dtypeOf(this.handle) as Dtype;
  }

  /** `cpu`, `cuda:0`, or `meta`: a shape without elements */
  get device(): string {
    return native().deviceOf(this.handle);
  }

  /** Number of elements. */
  get size(): number {
    return this.shape.reduce((product, size) => product * size, 1);
  }

  /** The size of one dimension; a negative index counts from the end. */
  dimension(index: number): number {
    const size = this.shape.at(index);
    if (size === undefined)
      throw InputError.expected(
        this.shape.length === 0
          ? 'a tensor with dimensions'
          : `a dimension from 0 to ${this.shape.length - 1}`,
        'dimension',
        index,
      );
    return size;
  }

  get requiresGrad(): boolean {
    return native().requiresGrad(this.handle);
  }

  /** Marks a leaf tensor (one not returned by an operator) as requiring gradients. */
  requireGrad_(required = true): this {
    native().setRequiresGrad(this.handle, required);
    return this;
  }

  /** A copy of the elements, row-major; int64 is returned as BigInt64Array. Waits for a card: see `PendingRead`. */
  data(): TypedArray {
    return native().readData(this.handle);
  }

  /** A copy of the elements as JavaScript numbers, row-major, for any dtype. */
  numbers(): Float64Array {
    const data = this.data();
    return data instanceof BigInt64Array ? Float64Array.from(data, Number) : Float64Array.from(data);
  }

  /** The value of a tensor with a single element. */
  item(): number {
    if (this.size !== 1)
      throw InputError.expected(
        'a tensor with one element',
        'item',
        `a tensor of shape [${this.shape.join(', ')}]`,
      );
    return this.numbers()[0]!;
  }

  add(other: Operand): Tensor {
    return typeof other === 'number'
      ? one(addScalar, this.handle, other)
      : one(addTensor, this.handle, handleOf(other, 'other of add'));
  }
  sub(other: Operand): Tensor {
    return typeof other === 'number'
      ? one(subScalar, this.handle, other)
      : one(subTensor, this.handle, handleOf(other, 'other of sub'));
  }
  mul(other: Operand): Tensor {
    return typeof other === 'number'
      ? one(mulScalar, this.handle, other)
      : one(mulTensor, this.handle, handleOf(other, 'other of mul'));
  }
  div(other: Operand): Tensor {
    return typeof other === 'number'
      ? one(divScalar, this.handle, other)
      : one(divTensor, this.handle, handleOf(other, 'other of div'));
  }
  /** this + other · scale, in place. */
  add_(other: Tensor, scale = 1): this {
    addInPlace(this.handle, handleOf(other, 'other of add_'), scale);
    return this;
  }
  addNumber_(number: number): this {
    addScalarInPlace(this.handle, number);
    return this;
  }
  /** this · other, in place. */
  mul_(other: Operand): this {
    if (typeof other === 'number') mulScalarInPlace(this.handle, other);
    else mulInPlace(this.handle, handleOf(other, 'other of mul_'));
    return this;
  }
  /** Copies the elements of `source` (shapes broadcast), in place. */
  copy_(source: Tensor): this {
    copyInPlace(this.handle, handleOf(source, 'source of copy_'));
    return this;
  }

  neg(): Tensor {
    return one(neg, this.handle);
  }
  abs(): Tensor {
    return one(abs, this.handle);
  }
  sign(): Tensor {
    return one(sign, this.handle);
  }
  exp(): Tensor {
    return one(exp, this.handle);
  }
  log(): Tensor {
    return one(log, this.handle);
  }
  sqrt(): Tensor {
    return one(sqrt, this.handle);
  }
  rsqrt(): Tensor {
    return one(rsqrt, this.handle);
  }
  tanh(): Tensor {
    return one(tanh, this.handle);
  }
  sigmoid(): Tensor {
    return one(sigmoid, this.handle);
  }
  pow(exponent: number): Tensor {
    return one(pow, this.handle, exponent);
  }
  /** Clamps every element to [low, high]. */
  clamp(low: number, high: number): Tensor {
    requireArgument(low, 'number', 'low of clamp');
    requireArgument(high, 'number', 'high of clamp');
    return one(clamp, this.handle, low, high);
  }
  minimum(other: Tensor): Tensor {
    return one(minimum, this.handle, handleOf(other, 'other of minimum'));
  }
  maximum(other: Tensor): Tensor {
    return one(maximum, this.handle, handleOf(other, 'other of maximum'));
  }

  eq(other: Operand): Tensor {
    return typeof other === 'number'
      ? one(eqScalar, this.handle, other)
      : one(eqTensor, this.handle, handleOf(other, 'other of eq'));
  }
  ne(other: Operand): Tensor {
    return typeof other === 'number'
      ? one(neScalar, this.handle, other)
      : one(neTensor, this.handle, handleOf(other, 'other of ne'));
  }
  greater(other: Operand): Tensor {
    return typeof other === 'number'
      ? one(gtScalar, this.handle, other)
      : one(gtTensor, this.handle, handleOf(other, 'other of greater'));
  }
  less(other: Operand): Tensor {
    return typeof other === 'number'
      ? one(ltScalar, this.handle, other)
      : one(ltTensor, this.handle, handleOf(other, 'other of less'));
  }
  isFinite(): Tensor {
    return one(isfinite, this.handle);
  }
  /** NaN becomes 0; ±∞ become `infinite` with their sign. @default the largest number of the dtype */
  nanToNum(infinite: number | null = null): Tensor {
    return one(nanToNum, this.handle, 0, infinite, infinite === null ? null : -infinite);
  }
  not(): Tensor {
    return one(logicalNot, this.handle);
  }

  /** The sum over `dimensions` (all by default). */
  sum(dimensions: readonly number[] = [], keepDimensions = false): Tensor {
    requireArgument(dimensions, 'list', 'the dimensions of sum');
    return dimensions.length === 0
      ? one(sumAll, this.handle)
      : one(sumOver, this.handle, dimensions, keepDimensions);
  }
  mean(dimensions: readonly number[] = [], keepDimensions = false): Tensor {
    requireArgument(dimensions, 'list', 'the dimensions of mean');
    return dimensions.length === 0
      ? one(meanAll, this.handle)
      : one(meanOver, this.handle, dimensions, keepDimensions);
  }
  /** The maximum over `dimensions` (all by default). */
  max(dimensions: readonly number[] = [], keepDimensions = false): Tensor {
    return one(amax, this.handle, dimensions, keepDimensions);
  }
  min(dimensions: readonly number[] = [], keepDimensions = false): Tensor {
    return one(amin, this.handle, dimensions, keepDimensions);
  }
  /** The index of the maximum along `dimension`; int64. */
  argmax(dimension: number, keepDimension = false): Tensor {
    return one(argmax, this.handle, dimension, keepDimension);
  }
  /** The L2 norm over `dimensions`. */
  l2Norm(dimensions: readonly number[], keepDimensions = false): Tensor {
    return one(vectorNorm, this.handle, 2, dimensions, keepDimensions);
  }
  /** The `count` largest elements along `dimension`, in descending order, and their indices. */
  topk(count: number, dimension = -1): { values: Tensor; indices: Tensor } {
    const [values, indices] = several(topk, this.handle, count, dimension);
    return { values: values!, indices: indices! };
  }

  reshape(shape: readonly number[]): Tensor {
    return one(reshape, this.handle, shape);
  }
  flatten(start = 0, end = -1): Tensor {
    return one(flatten, this.handle, start, end);
  }
  permute(order: readonly number[]): Tensor {
    return one(permute, this.handle, order);
  }
  transpose(first: number, second: number): Tensor {
    return one(transpose, this.handle, first, second);
  }
  expand(shape: readonly number[]): Tensor {
    return one(expand, this.handle, shape);
  }
  unsqueeze(dimension: number): Tensor {
    return one(unsqueeze, this.handle, dimension);
  }
  /** A view of `length` elements along `dimension` from `start`. */
  narrow(dimension: number, start: number, length: number): Tensor {
    return one(narrow, this.handle, dimension, start, length);
  }
  /** Views of `length` elements each along `dimension`; the last one has the rest. */
  split(length: number, dimension = 0): Tensor[] {
    return several(split, this.handle, length, dimension) as Tensor[];
  }
  /** A view of every `step`-th element along `dimension` from `start` to before `end`. */
  slice(dimension: number, start: number, end: number, step = 1): Tensor {
    return one(slice, this.handle, dimension, start, end, step);
  }
  /** The elements at `indices` (int64, [K]) along `dimension`. */
  indexSelect(dimension: number, indices: Tensor): Tensor {
    return one(indexSelect, this.handle, dimension, handleOf(indices, 'indices of indexSelect'));
  }
  gather(dimension: number, indices: Tensor): Tensor {
    return one(gather, this.handle, dimension, handleOf(indices, 'indices of gather'));
  }
  /** Advanced indexing this[indices[0], indices[1], ...] with int64 tensors that broadcast against each other. */
  index(indices: readonly Tensor[]): Tensor {
    return one(indexTensors, this.handle, handlesOf(indices, 'the indices of index'));
  }

  to(dtype: Dtype): Tensor {
    return one(toDtype, this.handle, dtype);
  }
  /** A copy on another device; the tensor itself if it is already there. */
  toDevice(device: string): Tensor {
    return new Tensor(native().toDevice(this.handle, device));
  }
  /** Moves a leaf tensor to another device in place, visible to every holder. */
  moveTo_(device: string): this {
    if (device === this.device) return this;
    const isRequired = this.requiresGrad;
    const moved = scope(() => native().toDevice(this.detach().handle, device));
    native().setRequiresGrad(moved, isRequired);
    native().release(this.#handle);
    this.#handle = moved;
    this.escape(); // the finalizer knows the old handle only
    return this;
  }
  contiguous(format: MemoryFormat = 'contiguous'): Tensor {
    return one(contiguous, this.handle, format);
  }
  clone(): Tensor {
    return one(clone, this.handle);
  }
  /** A view of the same memory that is detached from the graph. */
  detach(): Tensor {
    return one(detach, this.handle);
  }
}

/** @internal A copy of the numbers that a handle refers to, without taking it over. */
export const readData = (handle: Handle): TypedArray => native().readData(handle);

/** @internal */
export const shapeOf = (handle: Handle): readonly number[] => native().shapeOf(handle);

/** Calls an operator with a single output. */
export function one(op: ReturnType<typeof operator>, ...values: OperatorArgument[]): Tensor {
  return new Tensor(oneHandle(op(...values)));
}

/** Calls an operator with several outputs; null where one is undefined. */
export function several(op: ReturnType<typeof operator>, ...values: OperatorArgument[]): (Tensor | null)[] {
  return handles(op(...values)).map((handle) => (handle === null ? null : new Tensor(handle)));
}

const addTensor = operator('aten::add', 'Tensor');
const addScalar = operator('aten::add', 'Scalar');
const subTensor = operator('aten::sub', 'Tensor');
const subScalar = operator('aten::sub', 'Scalar');
const mulTensor = operator('aten::mul', 'Tensor');
const mulScalar = operator('aten::mul', 'Scalar');
const divTensor = operator('aten::div', 'Tensor');
const divScalar = operator('aten::div', 'Scalar');
const addInPlace = inPlace('aten::add_', 'Tensor');
const addScalarInPlace = inPlace('aten::add_', 'Scalar');
const mulInPlace = inPlace('aten::mul_', 'Tensor');
const mulScalarInPlace = inPlace('aten::mul_', 'Scalar');
const copyInPlace = inPlace('aten::copy_');
const neg = operator('aten::neg');
const abs = operator('aten::abs');
const sign = operator('aten::sign');
const exp = operator('aten::exp');
const log = operator('aten::log');
const sqrt = operator('aten::sqrt');
const rsqrt = operator('aten::rsqrt');
const tanh = operator('aten::tanh');
const sigmoid = operator('aten::sigmoid');
const pow = operator('aten::pow', 'Tensor_Scalar');
const clamp = operator('aten::clamp');
const minimum = operator('aten::minimum');
const maximum = operator('aten::maximum');
const eqTensor = operator('aten::eq', 'Tensor');
const eqScalar = operator('aten::eq', 'Scalar');
const neTensor = operator('aten::ne', 'Tensor');
const neScalar = operator('aten::ne', 'Scalar');
const gtTensor = operator('aten::gt', 'Tensor');
const gtScalar = operator('aten::gt', 'Scalar');
const ltTensor = operator('aten::lt', 'Tensor');
const ltScalar = operator('aten::lt', 'Scalar');
const isfinite = operator('aten::isfinite');
const nanToNum = operator('aten::nan_to_num');
const logicalNot = operator('aten::logical_not');
const sumAll = operator('aten::sum');
const sumOver = operator('aten::sum', 'dim_IntList');
const meanAll = operator('aten::mean');
const meanOver = operator('aten::mean', 'dim');
const amax = operator('aten::amax');
const amin = operator('aten::amin');
const argmax = operator('aten::argmax');
const vectorNorm = operator('aten::linalg_vector_norm');
const topk = operator('aten::topk');
const reshape = operator('aten::reshape');
const flatten = operator('aten::flatten', 'using_ints');
const permute = operator('aten::permute');
const transpose = operator('aten::transpose', 'int');
const expand = operator('aten::expand');
const unsqueeze = operator('aten::unsqueeze');
const narrow = operator('aten::narrow');
const split = operator('aten::split', 'Tensor');
const slice = operator('aten::slice', 'Tensor');
const indexSelect = operator('aten::index_select');
const gather = operator('aten::gather');
const indexTensors = operator('aten::index', 'Tensor');
const toDtype = operator('aten::to', 'dtype');
const contiguous = operator('aten::contiguous');
const clone = operator('aten::clone');
const detach = operator('aten::detach');
