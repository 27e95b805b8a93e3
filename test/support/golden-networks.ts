import assert from 'node:assert/strict';
import { forward } from '../../src/activations/activation.js';
import { parseActivation } from '../../src/activations/parse.js';
import type { Classifier } from '../../src/nn/classifier.js';
import { crossEntropy } from '../../src/nn/losses.js';
import { integers } from '../../src/tensor/create.js';
import { conv2d, linear } from '../../src/tensor/functional.js';
import { gradients } from '../../src/tensor/gradient.js';
import type { Dtype, Tensor } from '../../src/tensor/tensor.js';
import { assertClose, type Tolerance } from './close.js';
import { fromGolden, type GoldenTensor } from './golden.js';

/** The two small networks of the golden values. */
export type Named = Readonly<Record<string, GoldenTensor>>;

/** conv 3x3 with bias, SiLU, linear: what attacks are checked on. */
export function attackedNetwork(weights: Named, dtype: Dtype): Classifier {
  const weight = (name: string) => fromGolden(weights[name]!, dtype);
  const silu = parseActivation('silu');
  const [kernel, bias] = [weight('conv.weight'), weight('conv.bias')];
  const [head, shift] = [weight('linear.weight'), weight('linear.bias')];
  return (x) => linear(forward(silu, conv2d(x, kernel, { bias, padding: 1 })).flatten(1), head, shift);
}

/** What the golden values of an optimiser begin with. */
export interface OptimisedGolden {
  readonly initial: Named;
  readonly images: GoldenTensor;
  readonly labels: readonly number[];
}

/** The parameters of linear(3, 4), tanh, linear(4, 2): what optimisers are checked on. */
export function initialParameters({ initial }: OptimisedGolden, dtype: Dtype): Map<string, Tensor> {
  return new Map(
    Object.entries(initial).map(([name, value]) => [name, fromGolden(value, dtype).requireGrad_()]),
  );
}

/** The network's cross-entropy, and its gradients in the order of the parameters. */
export function learnFrom(
  { images, labels }: OptimisedGolden,
  parameters: ReadonlyMap<string, Tensor>,
): { readonly loss: number; readonly slopes: Tensor[] } {
  const get = (name: string) => parameters.get(name)!;
  const x = fromGolden(images, get('0.weight').dtype);
  const hidden = linear(x, get('0.weight'), get('0.bias')).tanh();
  const loss = crossEntropy(linear(hidden, get('2.weight'), get('2.bias')), integers(labels));
  return { loss: loss.item(), slopes: gradients([loss], [...parameters.values()]) };
}

/** The same names in the same order, and all values close. */
export function assertNamed(
  actual: ReadonlyMap<string, Tensor>,
  expected: Named,
  tolerance: Tolerance,
  what: string,
): void {
  assert.deepEqual([...actual.keys()], Object.keys(expected));
  for (const [name, value] of actual)
    assertClose(value.numbers(), expected[name]!.values, tolerance, `${what} ${name}`);
}
