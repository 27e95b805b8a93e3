import type { WeightArray } from '../module-weights.js';

/** Where the elements of a variable of TensorFlow go in PyTorch's layout. */
export interface Placement {
  /** Name of the parameter or buffer. */
  readonly name: string;
  readonly layout: Layout;
}

/**
 * How the elements are arranged:
 *
 * - `vector`: of any shape, such as the [1, 1, 1, 1, C] of the released EfficientNets, as one dimension;
 * - `matrix`: [I, O] → [O, I];
 * - `kernel`: [H, W, I, O] → [O, I, H, W]; `bgr-kernel` also reverses the inputs, so that the network takes RGB;
 * - `depthwise`: [H, W, I, M] → [I · M, 1, H, W].
 */
export type Layout = 'vector' | 'matrix' | 'kernel' | 'bgr-kernel' | 'depthwise';

const orders = {
  matrix: [1, 0],
  kernel: [3, 2, 0, 1],
  'bgr-kernel': [3, 2, 0, 1],
  depthwise: [2, 3, 0, 1],
} as const;

/** A variable under PyTorch's name and in its layout. One of unexpected rank keeps its shape, which then does not fit. */
export function placed(variable: WeightArray, { name, layout }: Placement): WeightArray {
  const { shape, read } = variable;
  if (layout === 'vector') return { ...variable, name, shape: [shape.reduce((a, b) => a * b, 1)] };
  const order = orders[layout];
  if (shape.length !== order.length) return { ...variable, name };
  const [first = 1, second = 1, ...rest] = order.map((axis) => shape[axis]!);
  return {
    ...variable,
    name,
    shape: layout === 'depthwise' ? [first * second, 1, ...rest] : [first, second, ...rest],
    read: () => transposed(read(), { shape, order, reversed: layout === 'bgr-kernel' ? 2 : null }),
  };
}

/** Row-major elements with their axes in another order, one of them reversed. */
function transposed(
  bytes: Uint8Array,
  options: {
    readonly shape: readonly number[];
    readonly order: readonly number[];
    readonly reversed: number | null;
  },
): Uint8Array {
  const { shape, order, reversed } = options;
  const count = shape.reduce((a, b) => a * b, 1);
  if (count === 0) return bytes;
  const source = elementsOf(bytes, bytes.length / count);
  const target = source.slice();
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  let written = 0;
  const copy = (depth: number, from: number) => {
    const axis = order[depth]!;
    const [size, stride] = [shape[axis]!, strides[axis]!];
    const step = axis === reversed ? -stride : stride;
    let position = axis === reversed ? from + (size - 1) * stride : from;
    for (let index = 0; index < size; index++, position += step)
      if (depth < order.length - 1) copy(depth + 1, position);
      else target[written++] = source[position]!;
  };
  copy(0, 0);
  return new Uint8Array(target.buffer);
}

/** The bits of elements of this width as numbers; a copy, which is aligned. */
function elementsOf(
  bytes: Uint8Array,
  width: number,
): Uint8Array | Uint16Array | Uint32Array | BigUint64Array {
  const { buffer } = new Uint8Array(bytes);
  if (width === 8) return new BigUint64Array(buffer);
  if (width === 4) return new Uint32Array(buffer);
  return width === 2 ? new Uint16Array(buffer) : new Uint8Array(buffer);
}
