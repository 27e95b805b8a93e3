/** The architecture whose weights a file holds is found among all. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { advice, nearestArchitectures } from '../../../src/app/model/nearest-architectures.js';
import { parseExternalDescription } from '../../../src/cli/model-options.js';
import { setThreads } from '../../../src/engine/engine-info.js';
import { createNetwork } from '../../../src/models/network.js';
import { MetaInitialiser } from '../../../src/nn/initialise.js';
import type { WeightArray } from '../../../src/weights/module-weights.js';
import { form, tiny } from '../../support/foreign-weights.js';

setThreads(1);

/** Arrays of the shapes of a network, without numbers, as DataParallel names them. */
function arraysOf(architecture: string): WeightArray[] {
  const words = { architecture, activation: 'relu', classes: '10', shape: '3x32x32' };
  const network = createNetwork(parseExternalDescription(words)!, new MetaInitialiser());
  const state = [...network.state()].map(([name, { shape }]) => ({
    name: `module.${name}`,
    dtype: 'F32' as const,
    shape,
  }));
  network.dispose();
  return state.map((array) => ({ ...array, read: () => assert.fail('nothing is read') }));
}

it('weights are most like their own architecture, whichever was stated', () => {
  const stated = { ...form, width: 1, classes: Array.from({ length: 10 }, (_, at) => String(at)) };
  for (const name of ['preact-resnet18', 'resnet18', 'efficientnet-b0', 'wideresnet28-10']) {
    const [best] = nearestArchitectures(arraysOf(name), stated);
    assert.equal(best?.architecture, name);
    assert.equal(best.share, 1);
    assert.match(
      advice([best], 'resnet8'),
      new RegExp(`share most: ${name} \\(100 %\\)\\. Any other network can be traced`),
    );
  }
});

it('weights that are like none are told so, and those of other classes that the classes differ', () => {
  const strange = tiny.arrays.map(({ bytes, ...array }) => ({
    ...array,
    name: `x.${array.name}`,
    read: () => bytes,
  }));
  assert.deepEqual(nearestArchitectures(strange, form), []);
  assert.match(advice([], 'resnet8'), /No architecture of Satin resembles them/);
  const own = tiny.arrays.map(({ bytes, ...array }) => ({ ...array, read: () => bytes }));
  const near = nearestArchitectures(own, { ...form, classes: ['a', 'b'] });
  assert.match(advice(near, 'resnet8'), /They resemble resnet8 \(9\d %\) most: compare classes/);
});
