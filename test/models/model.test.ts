/** Networks against PyTorch's (test/golden/networks.json): names, counts, logits and gradients from the same weights. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { setThreads } from '../../src/engine/engine-info.js';
import { DisposedError } from '../../src/errors.js';
import type { ModelName } from '../../src/models/architectures/names.js';
import type { ModelDescription } from '../../src/models/description.js';
import { Model } from '../../src/models/model.js';
import { crossEntropy } from '../../src/nn/losses.js';
import { integers, tensor } from '../../src/tensor/create.js';
import { gradients, noGrad } from '../../src/tensor/gradient.js';
import { keep, scope } from '../../src/tensor/scope.js';
import type { Dtype, Tensor } from '../../src/tensor/tensor.js';
import { assertClose, largestDifference } from '../support/close.js';
import { readGolden } from '../support/golden.js';
import { smallNetworks } from '../support/small-networks.js';

setThreads(1);

interface Pass {
  readonly logits: readonly (readonly number[])[];
  readonly loss: number;
  readonly inputGradient: {
    readonly sum: number;
    readonly absoluteSum: number;
    readonly first: readonly number[];
    readonly positions: readonly number[];
    readonly atPositions: readonly number[];
  };
  readonly parameterGradients: Readonly<Record<string, { readonly sum: number; readonly norm: number }>>;
  readonly statisticsAfter?: Readonly<Record<string, { readonly sum: number }>>;
}

interface GoldenNetwork {
  readonly name: ModelName;
  readonly activation: string;
  readonly widthFactor: number;
  readonly parameterCount: number;
  readonly state: readonly { readonly name: string; readonly shape: readonly number[] }[];
  readonly evaluation: Pass;
  readonly training: Pass;
}

const golden = readGolden<{ labels: readonly number[]; networks: readonly GoldenNetwork[] }>('networks');

function describeModel(architecture: ModelName, options: Partial<ModelDescription> = {}): ModelDescription {
  const classes = Array.from({ length: 10 }, (_, label) => String(label));
  return {
    architecture,
    width: 1,
    activation: 'relu',
    classes,
    shape: [3, 32, 32],
    normalise: null,
    ...options,
  };
}

/** The weights of the formula in the golden file. */
function fill(state: ReadonlyMap<string, Tensor>): void {
  const floating = [...state].filter(([, each]) => each.dtype !== 'int64');
  noGrad(() =>
    scope(() => {
      for (const [k, [name, target]] of floating.entries()) {
        const { shape, size } = target;
        const kind = name.slice(name.lastIndexOf('.') + 1);
        const isNorm = state.has(`${name.slice(0, -kind.length)}running_mean`);
        const value = (wave: number) => {
          if (kind === 'running_var') return 1 + 0.5 * Math.abs(wave);
          if (kind === 'weight' && isNorm) return 1 + 0.1 * wave;
          if (kind === 'weight') return wave / Math.sqrt(size / shape[0]!);
          return 0.1 * wave;
        };
        const numbers = Float64Array.from({ length: size }, (_, i) =>
          Math.fround(value(Math.sin(0.7 * i + k))),
        );
        target.copy_(tensor(numbers, shape));
      }
    }),
  );
}

function create(network: GoldenNetwork, dtype: Dtype): Model {
  const description = describeModel(network.name, {
    width: network.widthFactor,
    activation: network.activation,
  });
  const model = Model.create(description, { seed: 1, dtype });
  fill(model.network.state());
  return model;
}

function images(dtype: Dtype): Tensor {
  const pixels = Float32Array.from({ length: 2 * 3 * 32 * 32 }, (_, i) => 0.5 + 0.5 * Math.sin(0.3 * i));
  return scope(() => tensor(pixels, [2, 3, 32, 32]).to(dtype));
}

/** Rounding passes through twenty layers: differences are measured against the largest number, as the script does. */
function assertNear(actual: ArrayLike<number>, expected: readonly number[], relative: number, name: string) {
  const largest = Math.max(...expected.map(Math.abs));
  assertClose(actual, expected, { relative: 0, absolute: relative * largest }, name);
}

function check(network: GoldenNetwork, options: { dtype: Dtype; train: boolean; relative: number }): void {
  const { dtype, train, relative } = options;
  const expected = train ? network.training : network.evaluation;
  using model = create(network, dtype);
  scope(() => {
    const x = images(dtype).requireGrad_();
    const logits = model.forward(x, { train });
    const loss = crossEntropy(logits, integers(golden.labels));
    assertNear(logits.numbers(), expected.logits.flat(), relative, 'logits');
    assertClose([loss.item()], [expected.loss], { relative, absolute: 0 }, 'loss');

    const parameters = model.network.parameters();
    assert.deepEqual([...parameters.keys()], Object.keys(expected.parameterGradients));
    const [slope, ...slopes] = gradients([loss], [x, ...parameters.values()]);
    const numbers = slope!.numbers();
    const { first, positions, atPositions, sum, absoluteSum } = expected.inputGradient;
    assertNear(numbers.slice(0, first.length), first, 10 * relative, 'input gradient');
    assertNear(
      positions.map((at) => numbers[at]!),
      atPositions,
      10 * relative,
      'input gradient',
    );
    const total = numbers.reduce((all, each) => all + Math.abs(each), 0);
    assertClose([total], [absoluteSum], { relative: 10 * relative, absolute: 0 }, 'sum of |input gradient|');
    const signed = numbers.reduce((all, each) => all + each, 0);
    assertClose([signed], [sum], { relative: 0, absolute: 10 * relative * absoluteSum }, 'its sum');
    for (const [place, name] of [...parameters.keys()].entries()) {
      const { norm, sum } = expected.parameterGradients[name]!;
      const values = slopes[place]!.numbers();
      assertClose(
        [Math.sqrt(values.reduce((all, each) => all + each ** 2, 0))],
        [norm],
        { relative: 100 * relative, absolute: 1e-12 },
        `gradient of ${name}`,
      );
      const added = values.reduce((all, each) => all + each, 0);
      const absolute = 100 * relative * norm * Math.sqrt(values.length) + 1e-12;
      assertClose([added], [sum], { relative: 0, absolute }, `sum of the gradient of ${name}`);
    }
    const state = model.network.state();
    for (const [name, { sum }] of Object.entries(expected.statisticsAfter ?? {})) {
      const added = state
        .get(name)!
        .numbers()
        .reduce((all, each) => all + each, 0);
      assertClose([added], [sum], { relative, absolute: relative * state.get(name)!.size }, name);
    }
    for (const [name, each] of state)
      if (name.endsWith('num_batches_tracked')) assert.equal(each.item(), train ? 1 : 0, name);
  });
}

describe('networks equal PyTorch’s', () => {
  it('has golden networks of every kind of architecture', () => {
    assert.deepEqual(
      golden.networks.map(({ name, activation }) => `${name} ${activation}`),
      ['resnet20', 'resnet18', 'preact-resnet18'].flatMap((name) => [`${name} relu`, `${name} silu`]),
    );
  });

  for (const network of golden.networks)
    describe(`${network.name} with ${network.activation}, width ${network.widthFactor}`, () => {
      it('has the names and shapes of a PyTorch state dict, in its order', () => {
        using model = create(network, 'float32');
        const state = [...model.network.state()].map(([name, each]) => ({ name, shape: [...each.shape] }));
        assert.deepEqual(state, network.state);
        assert.equal(model.parameterCount, network.parameterCount);
      });
      for (const train of [false, true]) {
        const mode = train ? 'training' : 'evaluation';
        // Batch statistics of two images multiply what is rounded: libtorch's own convolutions are 4e-5 off in a gradient.
        it(`gives the same logits, loss and gradients in ${mode} mode, in float32`, () =>
          check(network, { dtype: 'float32', train, relative: train ? 1e-5 : 5e-6 }));
        it(`gives the same logits, loss and gradients in ${mode} mode, in float64`, () =>
          check(network, { dtype: 'float64', train, relative: 1e-12 }));
      }
      it('computes the same with its batch norms folded', () => {
        using model = create(network, 'float32');
        using folded = model.fold();
        scope(() => {
          const x = images('float32');
          const [plain, fast] = [model.classify(x).numbers(), folded.classify(x).numbers()];
          assertNear(fast, [...plain], 1e-5, 'logits');
          assert.notEqual(largestDifference(plain, fast), 0, 'folding does something');
        });
      });
    });
});

describe('parameters', () => {
  // 16 (9c + 2) + n blocks of two convolutions and norms a stage + the linear layer; He et al. (2016): 0.27M, 0.46M, 0.85M
  const cifar = (blocks: number) => {
    const stage = (inputs: number, outputs: number) =>
      9 * inputs * outputs + (2 * blocks - 1) * 9 * outputs ** 2 + 2 * blocks * 2 * outputs;
    return 9 * 3 * 16 + 32 + stage(16, 16) + stage(16, 32) + stage(32, 64) + 64 * 10 + 10;
  };
  const expected: Readonly<Record<(typeof smallNetworks)[number], number>> = {
    resnet8: cifar(1),
    resnet20: 269_722,
    resnet32: 464_154,
    resnet56: 853_018,
    resnet18: 11_173_962, // pytorch-cifar's ResNet18
    'preact-resnet18': 11_172_170, // 11,171,146 of pytorch-cifar's, and the last batch norm
  };

  it('have the published counts', () => {
    assert.deepEqual(
      [cifar(3), cifar(5), cifar(9)],
      [expected.resnet20, expected.resnet32, expected.resnet56],
    );
    for (const name of smallNetworks) {
      using model = Model.create(describeModel(name), { seed: 0 });
      assert.equal(model.parameterCount, expected[name], name);
    }
  });

  it('follow the width factor, which scales every layer’s channels', () => {
    for (const [width, stem, last] of [
      [0.25, 16, 128],
      [0.5, 32, 256],
      [0.001, 1, 1],
    ] as const) {
      using model = Model.create(describeModel('resnet18', { width }), { seed: 0 });
      const state = model.network.state();
      assert.deepEqual(state.get('conv1.weight')!.shape, [stem, 3, 3, 3]);
      assert.deepEqual(state.get('linear.weight')!.shape, [10, last]);
    }
  });

  it('serve images of one channel and other sizes, and any number of classes', () => {
    for (const architecture of smallNetworks) {
      const description = { width: 0.1, shape: [1, 28, 28], classes: ['a', 'b'] } as const;
      using model = Model.create(describeModel(architecture, description), { seed: 0 });
      scope(() => {
        const x = tensor(new Float32Array(3 * 28 * 28), [3, 1, 28, 28]);
        assert.deepEqual(noGrad(() => model.classify(x)).shape, [3, 2], architecture);
      });
    }
  });
});

describe('a model', () => {
  const normalise = { mean: [0.1, 0.2, 0.3], std: [0.5, 0.25, 2] };
  const model = Model.create(describeModel('resnet8', { width: 0.25, normalise }), { seed: 3 });
  after(() => model.dispose());

  it('normalises pixels in its first layer', () => {
    using plain = Model.create(describeModel('resnet8', { width: 0.25 }), { seed: 3 });
    scope(() =>
      noGrad(() => {
        const x = images('float32');
        const channel = (values: readonly number[]) => tensor(Float32Array.from(values), [1, 3, 1, 1]);
        const normalised = x.sub(channel(normalise.mean)).div(channel(normalise.std));
        assert.deepEqual(model.classify(x).numbers(), plain.classify(normalised).numbers());
        assert.notDeepEqual(model.classify(x).numbers(), plain.classify(x).numbers());
      }),
    );
  });

  it('refuses a mean for another number of channels', () => {
    const wrong = describeModel('resnet8', { width: 0.25, normalise: { mean: [0.5], std: [0.5] } });
    assert.throws(
      () => Model.create(wrong, { seed: 0 }),
      /Expected 3 numbers, one per channel, for normalise/,
    );
  });

  it('moves running statistics in training only where they are not to be kept', () => {
    const statistics = () =>
      [...model.network.state()]
        .filter(([name]) => /running|tracked/.test(name))
        .flatMap(([, each]) => [...each.numbers()]);
    scope(() =>
      noGrad(() => {
        const x = images('float32');
        const before = statistics();
        model.forward(x, { train: false });
        const kept = model.forward(x, { train: true, keepStatistics: true });
        assert.deepEqual(statistics(), before);
        const moving = model.forward(x, { train: true });
        assert.notDeepEqual(statistics(), before);
        assert.deepEqual(kept.numbers(), moving.numbers());
      }),
    );
  });

  it('frees its weights, and the folded ones', () => {
    const other = Model.create(describeModel('resnet8', { width: 0.25 }), { seed: 3 });
    const weight = keep(other.network.state().get('conv1.weight')!);
    other.dispose();
    assert.ok(weight.disposed);
    assert.throws(() => scope(() => other.classify(images('float32'))), DisposedError);
  });
});
