import assert from 'node:assert/strict';
import { it } from 'node:test';
import { requireRoomForStep } from '../../../src/app/train/require-room.js';
import { memoryInfo, setThreads } from '../../../src/engine/engine-info.js';
import { InputError } from '../../../src/errors.js';
import { tinyTraining } from '../../support/tiny-run.js';

setThreads(1);

const description = {
  architecture: 'resnet18',
  width: 1,
  activation: 'silu',
  classes: ['a', 'b'],
  shape: [3, 32, 32],
} as const;

/** Whether a step of the tiny recipe with these settings is let through. */
function check(
  training: Readonly<Record<string, unknown>>,
  change: Partial<Parameters<typeof requireRoomForStep>[1]> = {},
) {
  requireRoomForStep(tinyTraining('nowhere', training), { description, ranks: 1, device: 'cpu', ...change });
}

it('a batch, a network or images that cannot fit are refused with the size and what to lower', () => {
  assert.doesNotThrow(() => check({ batch: 16 }));
  const before = memoryInfo();
  const cases = [
    () => check({ batch: 10_000_000 }),
    () => check({}, { description: { ...description, width: 500 } }),
    () => check({}, { description: { ...description, shape: [3, 4000, 4000] } }),
  ];
  for (const refused of cases)
    assert.throws(
      refused,
      (error) =>
        error instanceof InputError &&
        /^Expected a training step that fits in the \d+ MiB of memory that are left for training\.batch but received \d+\. \d+ images of \[3, \d+, \d+\] in a resnet18 of width \d+ take at least \d+ MiB: lower /.test(
          error.message,
        ),
    );
  assert.ok(memoryInfo().peakBytes - before.peakBytes < 16e6, 'nothing of their size was made');
});

it('what is shared by ranks or accumulated counts once, and a card has its own memory', () => {
  // A little more than fits at once.
  const images = 16 * Math.ceil(memoryInfo().leftBytes / 16 / 2e6);
  assert.throws(() => check({ batch: images }), InputError);
  assert.doesNotThrow(() => check({ batch: images, accumulate: 16 }));
  assert.doesNotThrow(() => check({ batch: images }, { ranks: 16 }));
  assert.doesNotThrow(() => check({ batch: images }, { device: 'mock' }));
});
