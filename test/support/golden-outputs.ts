import { describe, it } from 'node:test';
import type { ModelName } from '../../src/models/architectures/names.js';
import { Model } from '../../src/models/model.js';
import type { Classifier } from '../../src/nn/classifier.js';
import { crossEntropy } from '../../src/nn/losses.js';
import { integers, tensor } from '../../src/tensor/create.js';
import { gradient, noGrad } from '../../src/tensor/gradient.js';
import { scope } from '../../src/tensor/scope.js';
import type { MemoryFormat, Tensor } from '../../src/tensor/tensor.js';
import { assertClose } from './close.js';
import { readGolden } from './golden.js';

export interface GoldenOutputs {
  readonly name: ModelName;
  readonly activation: string;
  readonly padding?: 'same';
  readonly normEpsilon?: number;
  readonly gain: number;
  readonly images: number;
  readonly side: number;
  readonly labels: readonly number[];
  readonly logits: readonly (readonly number[])[];
  readonly gradient: {
    readonly largest: number;
    readonly norm: number;
    readonly positions: readonly number[];
    readonly values: readonly number[];
  };
}

/** The networks of the golden file. */
export const goldenNetworks = readGolden<{ networks: readonly GoldenOutputs[] }>('network-outputs').networks;

/** The numbers of the golden script: `value` of u(k, i) in [-1, 1), rounded to float32. */
function draw(k: number, count: number, value: (u: number) => number): Float32Array {
  const numbers = new Float32Array(count);
  const first = Math.imul(k, 0x9e3779b9);
  for (let i = 0; i < count; i++) {
    let h = (i + first) | 0;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    h ^= h >>> 16;
    numbers[i] = value((h >>> 0) / 2 ** 31 - 1);
  }
  return numbers;
}

function formula(name: string, target: Tensor, options: { gain: number; isNorm: boolean }) {
  const { gain, isNorm } = options;
  if (name.endsWith('running_var')) return (u: number) => 1 + 0.5 * u;
  if (!name.endsWith('.weight')) return (u: number) => 0.1 * u;
  if (isNorm) return (u: number) => gain + 0.25 * u;
  const scale = Math.sqrt(6 / (target.size / target.shape[0]!));
  return (u: number) => u * scale;
}

function create({ name, activation, gain, padding, normEpsilon }: GoldenOutputs): Model {
  const classes = Array.from({ length: 10 }, (_, label) => String(label));
  const shape = [3, 32, 32] as const;
  const model = Model.create(
    { architecture: name, width: 1, activation, classes, shape, normalise: null, padding, normEpsilon },
    { seed: null },
  );
  const state = model.network.state();
  const floating = [...state].filter(([, { dtype }]) => dtype === 'float32');
  noGrad(() => {
    for (const [k, [key, target]] of floating.entries())
      scope(() => {
        const isNorm = state.has(key.replace(/weight$/, 'running_mean'));
        const numbers = draw(k, target.size, formula(key, target, { gain, isNorm }));
        target.copy_(tensor(numbers, target.shape));
      });
  });
  return model;
}

function check(network: GoldenOutputs, classify: Classifier, format: MemoryFormat): void {
  const { images, side, labels, logits, gradient: slope } = network;
  scope(() => {
    const shape = [images, 3, side, side];
    const pixels = draw(1000, images * 3 * side * side, (u) => 0.5 + 0.5 * u);
    const x = tensor(pixels, shape).contiguous(format).requireGrad_();
    const found = classify(x);
    const largest = Math.max(...logits.flat().map(Math.abs));
    assertClose(found.numbers(), logits.flat(), { relative: 0, absolute: 1e-4 * largest }, 'logits');
    const numbers = gradient(crossEntropy(found, integers(labels)), x).numbers();
    assertClose(
      slope.positions.map((place) => numbers[place]!),
      slope.values,
      { relative: 0, absolute: 1e-3 * slope.largest },
      'input gradient',
    );
    assertClose([Math.hypot(...numbers)], [slope.norm], { relative: 1e-3, absolute: 0 }, 'its norm');
  });
}

/** Tests that a network's logits and input gradient are those of its source. */
export function describeGolden(network: GoldenOutputs): void {
  describe(`${network.name} with ${network.activation} at ${network.side}${network.padding ? ', SAME' : ''}`, () => {
    let model: Model;
    it('channels last', () => {
      model = create(network);
      check(network, model.classify, 'channels-last');
    });
    // The others are of the same layers.
    if (['resnet50', 'efficientnet-b0'].includes(network.name))
      it('channels first', () => check(network, model.classify, 'contiguous'));
    it('as an attack runs it', () => {
      using folded = model.fold();
      check(network, folded.classify, 'contiguous');
      model.dispose();
    });
  });
}
