import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { tensor } from '../../src/tensor/create.js';
import type { Dtype, Tensor } from '../../src/tensor/tensor.js';

/** A tensor as scripts/golden writes it; floating where `dtype` is left out. */
export interface GoldenTensor {
  readonly dtype?: 'int64' | 'bool';
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** The content of test/golden/`name`.json; `Golden` says what its script writes. */
export function readGolden<Golden>(name: string): Golden {
  const path = fileURLToPath(new URL(`../../../test/golden/${name}.json`, import.meta.url));
  return JSON.parse(readFileSync(path, 'utf8')) as Golden;
}

/** The tensor; `floating` is the dtype of one that is floating. */
export function fromGolden(golden: GoldenTensor, floating: Dtype): Tensor {
  if (golden.dtype === 'int64') return tensor(BigInt64Array.from(golden.values, BigInt), golden.shape);
  const numbers = tensor(Float64Array.from(golden.values), golden.shape);
  return numbers.to(golden.dtype ?? floating);
}
