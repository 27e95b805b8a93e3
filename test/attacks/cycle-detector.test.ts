/** Sequences with every length before the cycle and of it, against a search through all iterates. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CycleDetector } from '../../src/attacks/cycle-detector.js';
import { memoryInfo, setThreads } from '../../src/engine/engine-info.js';
import { tensor } from '../../src/tensor/create.js';
import { scope } from '../../src/tensor/scope.js';

setThreads(1);

interface Sequence {
  /** Number of iterates before the cycle, and in it. */
  readonly before: number;
  readonly period: number;
}

const steps = 60;
const sequences: readonly Sequence[] = Array.from({ length: 40 }, (_, before) =>
  [1, 2, 3, 4, 5, 7, 12, Number.POSITIVE_INFINITY].map((period) => ({ before, period })),
).flat();

/** The pixels of x_step: the last of them alone tells the iterates apart. */
function pixels({ before, period }: Sequence, step: number): number[] {
  const state =
    step < before || period === Number.POSITIVE_INFINITY ? step : before + ((step - before) % period);
  return [0.5, state * 2 ** -20];
}

/** The end of each sequence after each step, as the detector says. */
function endsOf(of: readonly Sequence[]): number[][] {
  const at = (step: number) =>
    tensor(Float32Array.from(of.flatMap((each) => pixels(each, step))), [of.length, 2, 1, 1]);
  const start = at(0);
  using detector = new CycleDetector(start, steps);
  const ends = Array.from({ length: steps }, (_, step) =>
    scope(() => {
      detector.add(at(step), step);
      return [...detector.end.numbers()];
    }),
  );
  start.dispose();
  return ends;
}

describe('a cycle', () => {
  const ends = endsOf(sequences);

  it('is never seen where no iterate has repeated', () => {
    for (const [row, { before, period }] of sequences.entries())
      for (const [step, each] of ends.entries())
        if (step < before + period) assert.equal(each[row], Number.POSITIVE_INFINITY, `${before}, ${period}`);
  });

  it('is seen at its first repetition if it goes to and fro, others a quarter of the steps later', () => {
    for (const [row, { before, period }] of sequences.entries()) {
      const seen = ends.findIndex((each) => each[row] !== Number.POSITIVE_INFINITY);
      if (period === Number.POSITIVE_INFINITY) assert.equal(seen, -1);
      else if (period <= 2) assert.ok(seen <= before + 2, `${before}, ${period}: ${seen}`);
      else {
        // The checkpoint is within the cycle, and at least a period away from the next.
        const checkpoint = Math.max(1.25 * before + 1, 4 * period * 1.25 + 1);
        const latest = checkpoint + period;
        assert.ok(seen <= latest && (seen >= 0 || latest >= steps), `${before}, ${period}: ${seen}`);
      }
    }
  });

  it('ends at an iterate that is the last of the whole sequence, and not before it was seen', () => {
    let finite = 0;
    for (const [row, sequence] of sequences.entries())
      for (const [step, each] of ends.entries()) {
        const end = each[row]!;
        if (end === Number.POSITIVE_INFINITY) continue;
        finite++;
        assert.deepEqual(pixels(sequence, end), pixels(sequence, steps));
        assert.ok(end <= Math.max(steps, step));
      }
    assert.ok(finite > 1000);
  });

  it('is no cycle if two images differ in one bit of one number', () => {
    const near = Math.fround(0.5 + 2 ** -24);
    const x = (last: number) => tensor(Float32Array.of(0.1, 0.5, 0.1, last), [2, 2, 1, 1]);
    scope(() => {
      using detector = new CycleDetector(x(0.5), 9);
      detector.add(x(0.5), 0);
      detector.add(x(near), 1);
      assert.deepEqual([...detector.end.numbers()], [9 - 8 + 0, Number.POSITIVE_INFINITY]);
    });
  });

  it('is none where a number is NaN', () => {
    scope(() => {
      const x = () => tensor(Float32Array.of(Number.NaN, 0.5), [1, 2, 1, 1]);
      using detector = new CycleDetector(x(), 9);
      for (let step = 0; step < 9; step++) detector.add(x(), step);
      assert.deepEqual([...detector.end.numbers()], [Number.POSITIVE_INFINITY]);
    });
  });

  it('is that of its own example after others have left, and nothing is left behind', () => {
    const { liveTensors } = memoryInfo();
    const two: readonly Sequence[] = [
      { before: 2, period: 3 },
      { before: 5, period: 2 },
    ];
    const at = (rows: readonly number[], step: number) =>
      tensor(Float32Array.from(rows.flatMap((row) => pixels(two[row]!, step))), [rows.length, 2, 1, 1]);
    scope(() => {
      using detector = new CycleDetector(at([0, 1], 0), steps);
      for (let step = 0; step < 4; step++) detector.add(at([0, 1], step), step);
      detector.keep([1]);
      for (let step = 4; step < 7; step++) detector.add(at([1], step), step);
      assert.deepEqual([...detector.end.numbers()], [Number.POSITIVE_INFINITY]);
      detector.keep(null);
      detector.add(at([1], 7), 7);
      assert.deepEqual([...detector.end.numbers()], [7 + ((steps - 7) % 2)]);
    });
    assert.equal(memoryInfo().liveTensors, liveTensors);
  });
});
