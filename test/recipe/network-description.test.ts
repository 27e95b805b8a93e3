import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { layerSummary } from '../../src/models/layer-summary.js';
import { networkOf } from '../../src/recipe/network-description.js';
import { parseRecipe } from '../../src/recipe/recipe.js';
import { tinyRecipe } from '../support/tiny-run.js';

describe('the network of a recipe', () => {
  const networkWith = (model: Record<string, unknown>) =>
    networkOf(parseRecipe({ ...tinyRecipe('.'), model: { activation: 'silu', ...model } }, 'the test'));

  it('has no trace of the usual padding and ε, so that files of usual networks stay as they were', () => {
    assert.deepEqual(networkWith({ name: 'resnet8', width: 0.25 }), {
      architecture: 'resnet8',
      width: 0.25,
      activation: 'silu',
    });
    const usual = { name: 'efficientnet-b0', padding: 'symmetric', normEpsilon: 0.00001 };
    assert.deepEqual(Object.keys(networkWith(usual)), ['architecture', 'width', 'activation']);
  });

  it('has those of TensorFlow, which a plan of it counts too', () => {
    const network = networkWith({ name: 'efficientnet-b0', padding: 'same', normEpsilon: 0.001 });
    assert.deepEqual([network.padding, network.normEpsilon], ['same', 0.001]);
    const { layers } = layerSummary({ ...network, classes: ['a', 'b'], shape: [3, 65, 64] });
    assert.deepEqual(layers[0]?.output, [32, 33, 32]);
  });
});
