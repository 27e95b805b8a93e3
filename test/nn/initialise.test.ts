import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setThreads } from '../../src/engine/engine-info.js';
import type { ModelName } from '../../src/models/architectures/names.js';
import { Model } from '../../src/models/model.js';
import { Initialiser } from '../../src/nn/initialise.js';
import { scope } from '../../src/tensor/scope.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { smallNetworks } from '../support/small-networks.js';

setThreads(1);

function create(architecture: ModelName, seed: number, width = 0.5): Model {
  const classes = ['a', 'b', 'c'];
  return Model.create(
    { architecture, width, activation: 'relu', classes, shape: [3, 32, 32], normalise: null },
    { seed },
  );
}

function moments(weights: Tensor): { mean: number; deviation: number } {
  const numbers = weights.numbers();
  const mean = numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
  const variance = numbers.reduce((sum, each) => sum + (each - mean) ** 2, 0) / numbers.length;
  return { mean, deviation: Math.sqrt(variance) };
}

/** Within five standard errors of N(0, `deviation`²). */
function assertNormal(weights: Tensor, deviation: number, name: string): void {
  const { size } = weights;
  const actual = moments(weights);
  assert.ok(Math.abs(actual.mean) < (5 * deviation) / Math.sqrt(size), `mean of ${name}: ${actual.mean}`);
  const error = Math.abs(actual.deviation / deviation - 1);
  assert.ok(error < 5 / Math.sqrt(2 * size), `deviation of ${name}: ${actual.deviation} for ${deviation}`);
}

describe('starting weights', () => {
  const networks: readonly (readonly [architecture: ModelName, width: number])[] = [
    ...smallNetworks.map((name) => [name, 0.5] as const),
    ['wideresnet28-10', 0.1],
    ['resnet18-imagenet', 0.25],
    ['resnet50', 0.25],
    ['resnext50-32x4d', 0.25],
    ['efficientnet-b0', 0.5],
  ];
  /** Only a depthwise convolution counts one channel alone. */
  const fanOutOf = (name: string, [outputs, , height, width]: readonly number[]) =>
    (name.includes('conv_dw') ? 1 : outputs!) * height! * width!;
  const headDeviation = (architecture: ModelName, inputs: number) =>
    /^res.*(imagenet|50)/.test(architecture) ? 0.01 : Math.sqrt(1 / inputs);

  for (const [architecture, width] of networks)
    it(`of ${architecture} are He’s for convolutions, narrow for the last layer, 1 and 0 for batch norms`, () => {
      using model = create(architecture, 4, width);
      const state = model.network.state();
      let convolutions = 0;
      for (const [name, weights] of state) {
        const { shape } = weights;
        if (shape.length === 4) {
          assertNormal(weights, Math.sqrt(2 / fanOutOf(name, shape)), name);
          convolutions++;
        } else if (name === `${model.network.head}.weight`)
          assertNormal(weights, headDeviation(architecture, shape[1]!), name);
        else if (/bias|running_mean|tracked/.test(name)) assert.equal(weights.abs().max().item(), 0, name);
        else if (name.endsWith('running_var'))
          assert.deepEqual(new Set(weights.numbers()), new Set([1]), name);
      }
      assert.ok(convolutions >= 7, `${convolutions} convolutions`);
    });

  it('begin every block of a ResNet as the identity: the scale of its last batch norm is 0', () => {
    for (const [architecture, last] of [
      ['resnet20', /layer.*bn2/],
      ['resnet18', /layer.*bn2/],
      ['resnet34', /layer.*bn2/],
      ['resnet50', /layer.*bn3/],
    ] as const) {
      using model = create(architecture, 4, 0.1);
      const scales = [...model.network.state()].filter(([name]) =>
        /bn\d\.weight|(shortcut|downsample)\.1\.weight/.test(name),
      );
      const zero = scales.filter(([, scale]) => scale.max().item() === 0 && scale.min().item() === 0);
      assert.ok(zero.length >= 8);
      assert.deepEqual(
        zero.map(([name]) => name),
        scales.map(([name]) => name).filter((name) => last.test(name)),
      );
      const others = scales.filter(([name]) => !last.test(name));
      for (const [name, scale] of others) assert.deepEqual(new Set(scale.numbers()), new Set([1]), name);
    }
  });

  it('are the same for the same seed and others for another', () => {
    using first = create('resnet8', 7);
    using again = create('resnet8', 7);
    using other = create('resnet8', 8);
    const drawn = [...first.network.state()].filter(([, each]) => each.shape.length > 1);
    for (const [name, weights] of drawn) {
      assert.deepEqual(again.network.state().get(name)!.data(), weights.data(), name);
      assert.notDeepEqual(other.network.state().get(name)!.data(), weights.data(), name);
    }
  });

  it('differ from one layer to the next', () => {
    scope(() => {
      const initialiser = new Initialiser(1);
      const [a, b] = [initialiser.normal([50], 1), initialiser.normal([50], 1)];
      assert.notDeepEqual(a.data(), b.data());
    });
  });
});
