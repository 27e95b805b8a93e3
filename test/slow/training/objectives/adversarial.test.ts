/** The promise: a thousand training steps leave the live-tensor count unchanged and resident memory flat. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { norms } from '../../../../src/attacks/norms.js';
import { memoryInfo, setThreads } from '../../../../src/engine/engine-info.js';
import { adversarial } from '../../../../src/training/objectives/adversarial.js';
import { blobs, smallModel, training } from '../../../support/blobs.js';

setThreads(1);

it('1,000 training steps leave the live tensors as they were, and memory within 5 % of what it was after 100', (t) => {
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
  const measure = () => ({ ...memoryInfo(), resident: process.memoryUsage.rss() });
  for (let step = 0; step < 100; step++) steps.step();
  const start = measure();
  let most = start.resident;
  for (let step = 100; step < 1100; step++) {
    steps.step();
    if (step % 50 === 49) most = Math.max(most, measure().resident);
  }
  const end = measure();
  t.diagnostic(
    `resident ${start.resident} bytes after 100 steps, at most ${most}, ${end.resident} at the end`,
  );
  assert.equal(end.liveTensors, start.liveTensors);
  assert.equal(end.liveBytes, start.liveBytes);
  assert.ok(most <= 1.05 * start.resident, `${most} bytes after ${start.resident}`);
});
