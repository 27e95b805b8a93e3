/** The promise: a thousand training steps leave the live-tensor count unchanged and resident memory flat. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { norms } from '../../../../src/attacks/norms.js';
import { memoryInfo, setThreads } from '../../../../src/engine/engine-info.js';
import { adversarial } from '../../../../src/training/objectives/adversarial.js';
import { blobs, smallModel, training } from '../../../support/blobs.js';

setThreads(1);
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

it('1,000 training steps leave the live tensors as they were, and memory within 5 % of what it was after 100', async (t) => {
  const dataset = blobs(256);
  using model = smallModel(dataset);
  const attack = {
    norm: norms.linf,
    epsilon: 0.05,
    steps: 2,
    stepSize: 0.05,
    start: { kind: 'uniform' },
    batchNorm: 'eval',
  } as const;
  using steps = training(model, dataset, adversarial({ attack }));
  // V8 lets its heap grow by some 15 MB within these steps, and frees some of it only between turns of the event loop,
  // which a training run has: it gets a collection and two turns before memory is read.
  const measure = async () => {
    await setImmediate();
    collectGarbage();
    await setImmediate();
    return { ...memoryInfo(), resident: process.memoryUsage.rss() };
  };
  for (let step = 0; step < 100; step++) steps.step();
  const start = await measure();
  let end = start;
  let most = start.resident;
  for (let step = 100; step < 1100; step++) {
    steps.step();
    if (step % 50 !== 49) continue;
    end = await measure();
    most = Math.max(most, end.resident);
  }
  t.diagnostic(
    `resident ${start.resident} bytes after 100 steps, at most ${most}, ${end.resident} at the end`,
  );
  assert.equal(end.liveTensors, start.liveTensors);
  assert.equal(end.liveBytes, start.liveBytes);
  assert.ok(most <= 1.05 * start.resident, `${most} bytes after ${start.resident}`);
});
