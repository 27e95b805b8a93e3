/** Resident memory over ten thousand of the smallest training steps: flat once V8's heap has its size. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { child } from '../../support/child.js';

const steps = 10_000;
/** By then code is compiled and caches are filled. */
const settled = 2000;
/** V8 moves its heap's limit by some megabytes either way; a leak of a kilobyte a step would add 8 MB. */
const mostGrowth = 6e6;

it('stays as it is over ten thousand steps', (context) => {
  const { status, output, errors } = child(
    {
      'node:fs': 'readFileSync',
      'src/engine/engine-info.js': 'memoryInfo, setThreads',
      'src/training/objectives/objective.js': 'clean',
      'test/support/blobs.js': 'blobs, smallModel, training',
    },
    `setThreads(1);
    const images = blobs(64);
    const steps = training(smallModel(images), images, clean());
    const resident = () => 1024 * Number(/^Anonymous:\\s*(\\d+)/m.exec(readFileSync('/proc/self/smaps_rollup', 'utf8'))[1]);
    const sizes = [];
    for (let step = 1; step <= ${steps}; step++) {
      steps.step();
      if (step % 100 !== 0) continue;
      sizes.push({ step, bytes: resident(), live: memoryInfo().liveBytes });
      await new Promise((resolve) => setImmediate(resolve));
    }
    console.log(JSON.stringify(sizes));`,
  );
  assert.equal(status, 0, errors);
  const sizes = JSON.parse(output) as { step: number; bytes: number; live: number }[];
  assert.equal(sizes.length, steps / 100);
  assert.equal(new Set(sizes.map(({ live }) => live)).size, 1, 'tensors of every step are freed');
  const between = (from: number, to: number) =>
    Math.max(...sizes.filter(({ step }) => step > from && step <= to).map(({ bytes }) => bytes));
  const [first, early, late] = [between(0, 1000), between(settled, 4000), between(8000, steps)];
  const text = [first, early, late].map((bytes) => `${(bytes / 1e6).toFixed(1)} MB`).join(', ');
  context.diagnostic(`to step 1000, from 2000 to 4000, and from 8000 on: ${text}`);
  assert.ok(late - early < mostGrowth, text);
  assert.ok(late - first < 5 * mostGrowth, text);
});
