/**
 * Resident memory over ten thousand of the smallest training steps. Two things of V8 grow at first, and nothing else: the
 * garbage that it has not collected yet, to about 20 MB, and what its optimising compiler makes. Without these two,
 * memory is flat after a thousand steps; with them, after two thousand.
 */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { child } from '../../support/child.js';

const steps = 10_000;

interface Size {
  readonly step: number;
  /** Resident, shared libraries not counted. */
  readonly bytes: number;
  /** Of tensors. */
  readonly live: number;
}

/** The sizes after every hundred steps, in a process of its own. */
function sizesOf(flags: readonly string[]): readonly Size[] {
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
      globalThis.gc?.();
      sizes.push({ step, bytes: resident(), live: memoryInfo().liveBytes });
      await new Promise((resolve) => setImmediate(resolve));
    }
    console.log(JSON.stringify(sizes));`,
    { flags, patience: 600 },
  );
  assert.equal(status, 0, errors);
  const sizes = JSON.parse(output) as readonly Size[];
  assert.equal(sizes.length, steps / 100);
  assert.equal(new Set(sizes.map(({ live }) => live)).size, 1, 'tensors of every step are freed');
  return sizes;
}

/** Requires that the largest size of the last two thousand steps is less than `mostGrowth` above that from `settled` on. */
function requireFlat(
  context: TestContext,
  sizes: readonly Size[],
  { settled, mostGrowth }: { readonly settled: number; readonly mostGrowth: number },
): void {
  const between = (from: number, to: number) =>
    Math.max(...sizes.filter(({ step }) => step > from && step <= to).map(({ bytes }) => bytes));
  const [first, early, late] = [
    between(0, settled),
    between(settled, 2 * settled),
    between(steps - 2000, steps),
  ];
  const text = [first, early, late].map((bytes) => `${(bytes / 1e6).toFixed(1)} MB`).join(', ');
  context.diagnostic(`to step ${settled}, from there to ${2 * settled}, and from 8000 on: ${text}`);
  assert.ok(late - early < mostGrowth, text);
  assert.ok(late - first < 5 * mostGrowth, text);
}

describe('resident memory stays as it is over ten thousand steps', () => {
  it('after a thousand, where V8 collects its garbage and optimises nothing', (context) => {
    // 0.1 MB was seen; a leak of a hundred bytes a step would add 0.8 MB.
    requireFlat(context, sizesOf(['--expose-gc', '--no-opt']), { settled: 1000, mostGrowth: 0.5e6 });
  });

  it('after two thousand, as it runs', (context) => {
    // V8 moves its heap's limit by some megabytes either way; a leak of a kilobyte a step would add 8 MB.
    requireFlat(context, sizesOf([]), { settled: 2000, mostGrowth: 6e6 });
  });
});
