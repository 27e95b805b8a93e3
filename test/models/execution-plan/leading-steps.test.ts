/** Images that differ in few places from neighbours: the numbers of the whole plan up to rounding, whatever is remembered. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setThreads } from '../../../src/engine/engine-info.js';
import type { ModelName } from '../../../src/models/architectures/names.js';
import { ExecutionPlan } from '../../../src/models/execution-plan/execution-plan.js';
import { recordModel } from '../../../src/models/record-model.js';
import { NeighbourMemory } from '../../../src/nn/neighbours.js';
import { tensor } from '../../../src/tensor/create.js';
import { noise } from '../../../src/tensor/noise.js';
import { scope } from '../../../src/tensor/scope.js';
import { lively } from '../../support/lively-model.js';

setThreads(2);

type Shape = readonly [number, number, number];

function planOf(architecture: ModelName, width: number, activation: string, shape: Shape): ExecutionPlan {
  const normalise = {
    mean: shape.map(() => 0.4).slice(0, shape[0]),
    std: shape.map(() => 0.3).slice(0, shape[0]),
  };
  using model = lively({ architecture, width, activation, classes: ['a', 'b', 'c'], shape, normalise });
  return ExecutionPlan.make(recordModel(model))!;
}

/** Pixels of `count` images. */
function pixels(count: number, shape: Shape): Float32Array[] {
  const ids = Array.from({ length: count }, (_, id) => id);
  const numbers = scope(() => noise('uniform', { key: { seed: 4, stream: 'bench' }, ids, shape }).numbers());
  const size = shape[0] * shape[1] * shape[2];
  return ids.map((id) => Float32Array.from(numbers.slice(id * size, (id + 1) * size)));
}

/** A copy with other pixels in a window. */
function changed(image: Float32Array, [channels, height, width]: Shape, window: Window): Float32Array {
  const copy = Float32Array.from(image);
  for (let channel = 0; channel < channels; channel++)
    for (let row = window.top; row < Math.min(height, window.top + window.side); row++)
      for (let column = window.left; column < Math.min(width, window.left + window.side); column++) {
        const at = (channel * height + row) * width + column;
        copy[at] = 1 - copy[at]!;
      }
  return copy;
}

interface Window {
  readonly top: number;
  readonly left: number;
  readonly side: number;
}

const batch = (images: readonly Float32Array[], shape: Shape) =>
  tensor(Float32Array.from(images.flatMap((image) => [...image])), [images.length, ...shape]);

const subjects: readonly (readonly [ModelName, number, string, Shape, number])[] = [
  ['resnet18', 0.25, 'silu', [3, 32, 32], 11],
  ['resnet18', 0.1, 'gelu', [3, 18, 23], 6],
  ['resnet8', 1, 'softplus(3)', [1, 28, 28], 7],
  ['preact-resnet18', 0.25, 'relu', [3, 32, 32], 16],
  // Depthwise.
  ['efficientnet-b0', 0.5, 'silu', [3, 64, 64], 3],
  ['resnet18-imagenet', 0.25, 'silu', [3, 64, 64], 2],
];

describe('a plan for images that differ in few places from neighbours', () => {
  for (const [architecture, width, activation, shape, leading] of subjects)
    it(`gives what the plan gives: ${architecture} of width ${width} on ${shape.join('x')}`, () => {
      using plan = planOf(architecture, width, activation, shape);
      assert.equal(plan.leading, leading);
      using memory = new NeighbourMemory(5);
      const [, height, columns] = shape;
      let near = pixels(5, shape);
      let slots = [3, 0, 4, 1, 2];
      const windows: readonly Window[] = [
        { top: 0, left: 0, side: 40 }, // everything
        { top: 0, left: 0, side: 1 }, // a corner
        { top: height - 2, left: columns - 2, side: 2 },
        { top: 3, left: 9, side: 0 }, // nothing
        { top: 2, left: 4, side: 11 },
        // rounding does not add up
        ...Array.from({ length: 24 }, (_, query) => ({
          top: (7 * query) % (height - 3),
          left: (5 * query) % (columns - 5),
          side: 1 + (query % 5),
        })),
      ];
      for (const [query, window] of windows.entries()) {
        const candidates = near.map((image, row) =>
          changed(image, shape, { ...window, left: window.left + (row % 3) }),
        );
        scope(() => {
          const images = batch(candidates, shape);
          const expected = plan.classify(images).numbers();
          const actual = plan.classify(images, { near: batch(near, shape), slots, memory }).numbers();
          const off = Math.max(...actual.map((each, at) => Math.abs(each - expected[at]!)));
          assert.ok(off <= 1e-5 * Math.max(...expected.map(Math.abs)), `query ${query}: ${off}`);
        });
        // Every second candidate is taken, and an image leaves.
        near = near.map((image, row) => ((row + query) % 2 === 0 ? candidates[row]! : image));
        if (query === 3) [near, slots] = [near.slice(1), slots.slice(1)];
      }
    });

  it('computes only places that see a difference', () => {
    using plan = planOf('resnet18', 0.25, 'silu', [3, 32, 32]);
    using memory = new NeighbourMemory(1);
    const [image] = pixels(1, [3, 32, 32]);
    const shape = [3, 32, 32] as const;
    scope(() => {
      const near = batch([image!], shape);
      plan.classify(near, { near, slots: [0], memory });
      const kept = memory.keptBy(plan, () => assert.fail('nothing was kept'));
      // Of another image's values the far corner alone is changed, which nothing near the window sees.
      const begin = 3 * 32 * 32;
      const before = kept.numbers();
      const stained = Float32Array.from(before);
      for (let at = before.length - 16; at < before.length; at++) stained[at]! += 1;
      kept.copy_(tensor(stained, kept.shape));
      const candidate = batch([changed(image!, shape, { top: 2, left: 2, side: 3 })], shape);
      const found = plan.classify(candidate, { near, slots: [0], memory }).numbers();
      assert.notDeepEqual(found, plan.classify(candidate).numbers());
      assert.deepEqual(kept.numbers().slice(begin), Float64Array.from(stained.slice(begin)));
    });
  });

  it('refuses a slot that two images share, or that is none', () => {
    using plan = planOf('resnet18', 0.25, 'silu', [3, 32, 32]);
    using memory = new NeighbourMemory(2);
    scope(() => {
      const near = batch(pixels(2, [3, 32, 32]), [3, 32, 32]);
      for (const slots of [[1, 1], [0, 2], [-1, 0], [0]])
        assert.throws(() => plan.classify(near, { near, slots, memory }), /slot/);
    });
  });
});
