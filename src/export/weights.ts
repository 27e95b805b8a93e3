import { InputError } from '../errors.js';
import type { Module } from '../nn/module.js';
import { tensor } from '../tensor/create.js';
import { noGrad } from '../tensor/gradient.js';
import { scope } from '../tensor/scope.js';
import type { Dtype, Tensor } from '../tensor/tensor.js';
import type { NamedArray, Dtype as StoredDtype } from './safetensors.js';

const stored: Partial<Record<Dtype, StoredDtype>> = {
  float32: 'F32',
  float64: 'F64',
  int64: 'I64',
  int32: 'I32',
  uint8: 'U8',
};

/** Named tensors as arrays that a safetensors file holds. */
export function toArrays(tensors: ReadonlyMap<string, Tensor>): NamedArray[] {
  return [...tensors].map(([name, each]) => {
    const dtype = stored[each.dtype];
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

/** The tensor that an array of a safetensors file holds. */
export function toTensor({ dtype, shape, bytes }: NamedArray): Tensor {
  const buffer = bytes.slice().buffer; // its own, so that it is aligned
  switch (dtype) {
    case 'F32':
      return tensor(new Float32Array(buffer), shape);
    case 'F64':
      return tensor(new Float64Array(buffer), shape);
    case 'I64':
      return tensor(new BigInt64Array(buffer), shape);
    case 'I32':
      return tensor(new Int32Array(buffer), shape);
    case 'U8':
      return tensor(new Uint8Array(buffer), shape);
  }
}

/**
 * Copies arrays into the network's tensors of the same names. A layer that `fresh` names keeps the weights that it has: the
 * last one, where the classes are others.
 *
 * @throws {InputError} that names what is missing, too many or of another shape; the network is unchanged then.
 */
export function loadWeights(
  network: Module,
  arrays: readonly NamedArray[],
  options: { readonly fresh?: string | undefined } = {},
): void {
  const { fresh } = options;
  const isHead = (name: string) => fresh !== undefined && name.startsWith(`${fresh}.`);
  const targets = new Map([...network.state()].filter(([name]) => !isHead(name)));
  const sources = new Map(arrays.filter(({ name }) => !isHead(name)).map((array) => [array.name, array]));
  const missing = [...targets.keys()].filter((name) => !sources.has(name));
  const extra = [...sources.keys()].filter((name) => !targets.has(name));
  if (missing.length > 0)
    throw InputError.expected(`an array ${missing[0]}`, 'the weights', `none (${missing.length} missing)`);
  if (extra.length > 0) throw InputError.expected('only arrays of this network', 'the weights', extra[0]);
  for (const [name, target] of targets) {
    const shape = sources.get(name)!.shape;
    if (shape.join() !== target.shape.join())
      throw InputError.expected(
        `the shape [${target.shape.join(', ')}]`,
        `the array ${name}`,
        `[${shape.join(', ')}]`,
      );
  }
  noGrad(() =>
    scope(() => {
      for (const [name, target] of targets) target.copy_(toTensor(sources.get(name)!));
    }),
  );
}
