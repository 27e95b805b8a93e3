import type { WeightArray } from './module-weights.js';
import { brokenPickle } from './pickle.js';
import { byteWidth } from './safetensors.js';
import type { TorchFile } from './torch-file.js';
import type { StridedView } from './torch-pickle.js';

/**
 * The array of the tensor `view`.
 *
 * @throws {InputError} if the view exceeds its storage.
 */
export function readStridedArray(file: TorchFile, name: string, view: StridedView): WeightArray {
  const { storage, offset, shape, strides } = view;
  const count = shape.reduce((product, size) => product * size, 1);
  const last = shape.reduce((sum, size, axis) => sum + (size - 1) * strides[axis]!, offset);
  // An expanded tensor repeats elements. It is limited, since otherwise a few bytes could exhaust memory.
  if (count > 0 && (last >= storage.count || count > Math.max(storage.count, maxExpanded)))
    throw brokenPickle(
      file.path,
      `'${name}' is a view of shape [${shape.join(', ')}] of a storage with ${storage.count} elements`,
    );
  const width = byteWidth(storage.dtype);
  return {
    name,
    dtype: storage.dtype,
    shape,
    read() {
      if (count === 0) return new Uint8Array(0);
      const begin = storage.offset + offset;
      const bytes = file.read(storage, begin * width, (storage.offset + last + 1) * width);
      return isContiguous(shape, strides)
        ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
        : gather(bytes, { shape, strides, width });
    },
  };
}

/** Largest number of elements of a view that repeats those of a smaller storage. */
const maxExpanded = 1 << 22;

/** Whether a view is contiguous (row-major without gaps); strides of dimensions of size 1 are irrelevant. */
function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

/** Copies the elements of a strided view into row-major order. */
function gather(
  bytes: Buffer,
  { shape, strides, width }: Pick<StridedView, 'shape' | 'strides'> & { readonly width: 1 | 2 | 4 | 8 },
): Uint8Array {
  const Elements = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: BigUint64Array }[width];
  const source = new Elements(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length / width);
  const count = shape.reduce((product, size) => product * size, 1);
  const target = new Elements(count);
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < count; to++) {
    target[to] = source[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= shape[axis]! * strides[axis]!;
      index[axis] = 0;
    }
  }
  return new Uint8Array(target.buffer);
}
