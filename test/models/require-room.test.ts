import assert from 'node:assert/strict';
import { it } from 'node:test';
import { memoryInfo, setThreads } from '../../src/engine/engine-info.js';
import { InputError } from '../../src/errors.js';
import { Model } from '../../src/models/model.js';
import { requireRoomForWeights } from '../../src/models/require-room.js';
import { stateShapes } from '../../src/models/state-shapes.js';
import { scope } from '../../src/tensor/scope.js';

setThreads(1);

const description = {
  architecture: 'resnet8',
  width: 0.25,
  activation: 'psilu',
  classes: ['a', 'b', 'c'],
  shape: [3, 8, 8],
  normalise: null,
} as const;

it('a network is known by the shapes that it will have', () => {
  using model = Model.create(description, { seed: 1 });
  const shapes = [...model.network.state()].map(([name, { shape }]) => [name, shape]);
  assert.deepEqual([...stateShapes(description)], shapes);
});

it('a network that cannot fit is refused with both sizes before anything is made', () => {
  const before = memoryInfo();
  assert.ok(before.leftBytes > 0);
  // 1.7e6 channels squared are 1e13 bytes; 16384 times 64 is the most that channels may be.
  for (const make of [
    () => requireRoomForWeights({ ...description, width: 16_000 }, 4),
    () => Model.create({ ...description, width: 16_000 }, { seed: 1 }),
  ])
    assert.throws(
      () => scope(make),
      (error) =>
        error instanceof InputError &&
        /^Expected weights that fit in the \d+ MiB of memory that are left for the network but received 'resnet8 of width 16000 [^']*'\. Lower its width\.$/.test(
          error.message,
        ),
    );
  const { liveTensors, peakBytes } = memoryInfo();
  assert.equal(liveTensors, before.liveTensors);
  assert.ok(peakBytes - before.peakBytes < 1e6);
  assert.doesNotThrow(() => requireRoomForWeights(description, 4));
});
