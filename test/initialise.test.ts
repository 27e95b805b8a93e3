import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Model } from '../src/models/model.js';
import type { ModelName } from '../src/models/names.js';
import { Initialiser } from '../src/nn/initialise.js';
import { setThreads } from '../src/tensor/engine.js';
import { scope } from '../src/tensor/scope.js';
import type { Tensor } from '../src/tensor/tensor.js';
import { smallNetworks } from './support/small-networks.js';

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
  for (const architecture of smallNetworks)
    it(`of ${architecture} are He’s for convolutions, N(0, 1 / fan-in) for the linear layer, 1 and 0 for batch norms`, () => {
      using model = create(architecture, 4);
      const state = model.network.state();
      let convolutions = 0;
      for (const [name, weights] of state) {
        const { shape } = weights;
        if (shape.length === 4) {
          const fanOut = shape[0]! * shape[2]! * shape[3]!;
          assertNormal(weights, Math.sqrt(2 / fanOut), name);
          convolutions++;
        } else if (name === 'linear.weight') assertNormal(weights, Math.sqrt(1 / shape[1]!), name);
        else if (/bias|running_mean|tracked/.test(name)) assert.equal(weights.abs().max().item(), 0, name);
        else if (name.endsWith('running_var'))
          assert.deepEqual(new Set(weights.numbers()), new Set([1]), name);
      }
      assert.ok(convolutions >= 7, `${convolutions} convolutions`);
    });

  it('begin every block of a ResNet as the identity: the scale of its last batch norm is 0', () => {
    for (const architecture of ['resnet20', 'resnet18'] as const) {
      using model = create(architecture, 4);
      const scales = [...model.network.state()].filter(([name]) =>
        /bn\d\.weight|shortcut\.1\.weight/.test(name),
      );
      const zero = scales.filter(([, scale]) => scale.max().item() === 0 && scale.min().item() === 0);
      assert.ok(zero.length >= 8);
      assert.deepEqual(
        zero.map(([name]) => name),
        scales.map(([name]) => name).filter((name) => /layer.*bn2/.test(name)),
      );
      const others = scales.filter(([name]) => !/layer.*bn2/.test(name));
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
