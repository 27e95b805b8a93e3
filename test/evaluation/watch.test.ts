/** Who watches an attack checks every few iterates, drops what the exact model confirms, and reads nothing in between. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryInfo, setThreads } from '../../src/engine/engine-info.js';
import { native } from '../../src/engine/native.js';
import { Watch } from '../../src/evaluation/watch.js';
import { integers, tensor } from '../../src/tensor/create.js';
import { scope } from '../../src/tensor/scope.js';

setThreads(1);

/** Five images of one pixel and label 0. An iterate is wrong on the examples in `wrong`; its pixels say which it is. */
function attack(options: {
  readonly every: number;
  readonly wrong: readonly (readonly number[])[];
  /** Examples whose suspects the exact model confirms. */
  readonly breakable: readonly number[];
}) {
  const { every, wrong, breakable } = options;
  const asked: (readonly [row: number, pixel: number])[][] = [];
  const reads: number[] = [];
  let rows: readonly number[] = [0, 1, 2, 3, 4];
  using watch = new Watch({
    every,
    confirm: (suspects, of) => {
      const pixels = suspects.numbers();
      asked.push(of.map((row, index) => [row, pixels[index]!]));
      return new Set([...of.keys()].filter((index) => breakable.includes(of[index]!)));
    },
  });
  for (const [place, examples] of wrong.entries())
    scope(() => {
      const before = native().readCount();
      const active = watch.observe({
        x: tensor(new Float32Array(rows.length).fill(place), [rows.length, 1, 1, 1]).requireGrad_(),
        logits: tensor(Float32Array.from(rows.flatMap((row) => (examples.includes(row) ? [0, 1] : [1, 0]))), [
          rows.length,
          2,
        ]).requireGrad_(),
        labels: integers(rows.map(() => 0)),
        rows,
      });
      reads.push(native().readCount() - before);
      if (active !== null) rows = active.map((index) => rows[index]!);
    });
  watch.finish();
  return { asked, reads, rows };
}

describe('a watched attack', () => {
  const wrong = [[1], [1, 3], [], [4], [0, 4], [3]];

  it('with 1 is checked at each iterate: what is not confirmed stays', () => {
    const { asked, reads, rows } = attack({ every: 1, wrong, breakable: [3, 4] });
    assert.deepEqual(asked, [
      [[1, 0]],
      [
        [1, 1],
        [3, 1],
      ],
      [[4, 3]],
      [[0, 4]],
    ]);
    assert.deepEqual(rows, [0, 1, 2]);
    assert.ok(reads.every((count) => count >= 1));
  });

  it('with 3 is checked at each third, and at its end', () => {
    const { asked, reads, rows } = attack({ every: 3, wrong: [...wrong, [2]], breakable: [3, 4] });
    assert.deepEqual(asked, [
      [
        [1, 0],
        [3, 1],
      ],
      [
        [0, 4],
        [4, 3],
      ],
      [[2, 6]],
    ]);
    assert.deepEqual(rows, [0, 1, 2]);
    assert.deepEqual(
      reads.map((count) => count > 0),
      [false, false, true, false, false, true, false],
    );
  });

  it('is not checked twice at its end, and not where nothing was seen', () => {
    assert.equal(attack({ every: 3, wrong, breakable: [] }).asked.length, 2);
    assert.deepEqual(attack({ every: 3, wrong: [], breakable: [] }).asked, []);
  });

  it('asks for nothing where no example is suspected', () => {
    const { asked, rows } = attack({ every: 2, wrong: [[], [], [], []], breakable: [0] });
    assert.deepEqual([asked, rows], [[], [0, 1, 2, 3, 4]]);
  });

  it('leaves nothing behind', () => {
    const before = memoryInfo().liveTensors;
    attack({ every: 4, wrong, breakable: [1] });
    assert.equal(memoryInfo().liveTensors, before);
  });
});
