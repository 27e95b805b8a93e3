import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryInfo, setThreads } from '../../src/engine/engine-info.js';
import { native } from '../../src/engine/native.js';
import { SuspectWindow } from '../../src/evaluation/suspect-window.js';
import { integers, tensor } from '../../src/tensor/create.js';
import { scope } from '../../src/tensor/scope.js';

setThreads(1);

const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
const labels = [0, 0, 1];

/** An iterate of three images of one pixel, all of the given brightness, and three classes. */
const iterate = (pixel: number, logits: readonly (readonly number[])[], within?: readonly number[]) => ({
  x: tensor(new Float32Array(logits.length).fill(pixel), [logits.length, 1, 1, 1]),
  logits: tensor(Float32Array.from(logits.flat()), [logits.length, 3]),
  labels: integers(labels.slice(0, logits.length)),
  rows: [...logits.keys()],
  ...(within && { within: tensor(Uint8Array.from(within), [within.length]).to('bool') }),
});
const right = [
  [1, 0, 0],
  [1, 0, 0],
  [0, 1, 0],
];

/** What a window holds after some iterates: a pixel for each example with a suspect, null for the others. */
const held = (...iterates: readonly ReturnType<typeof iterate>[]) => {
  using window = new SuspectWindow(iterates[0]!);
  const before = native().readCount();
  for (const each of iterates) window.add(each);
  assert.equal(native().readCount(), before);
  return contents(window);
};
const contents = (window: SuspectWindow) => {
  const suspected = window.suspected.numbers();
  return [...window.images.numbers()].map((pixel, row) => (suspected[row] === 1 ? pixel : null));
};

describe('a window of suspects', () => {
  it('holds of each example the iterate with the largest margin, wherever it comes', () =>
    scope(() => {
      const first = [right[0]!, [0, 2, 1], [5, 4, 0]];
      const second = [right[0]!, [0, 1, 3], [4, 4.5, 0]];
      assert.deepEqual(held(iterate(1, right), iterate(2, first), iterate(3, second)), [null, 3, 2]);
      assert.deepEqual(held(iterate(2, second), iterate(1, first), iterate(3, right)), [null, 2, 1]);
    }));

  it('keeps the earlier of two with the same margin, and takes one of margin 0', () =>
    scope(() => {
      const tie = [right[0]!, right[1]!, [1, 1, 0]]; // the first of two equal logits is the prediction
      assert.deepEqual(held(iterate(1, right), iterate(2, tie), iterate(3, tie)), [null, null, 2]);
    }));

  it('prefers logits of which one is NaN, whichever', () =>
    scope(() => {
      for (const broken of [
        [nan, 0, 0],
        [1, nan, 0],
        [1, 0, nan],
        [nan, nan, nan],
        [infinity, infinity, 0],
      ]) {
        const wrong = [[0, 9, 0], broken, right[2]!];
        const later = [[0, 9.5, 0], [0, 1e30, 0], right[2]!];
        const isWrong = broken.some(Number.isNaN); // two infinite logits tie: the first is the label
        assert.deepEqual(held(iterate(1, wrong), iterate(2, later)), [2, isWrong ? 1 : 2, null]);
      }
    }));

  it('takes no point outside the ball', () =>
    scope(() => {
      const wrong = [
        [0, 1, 0],
        [0, 1, 0],
        [1, 0, 0],
      ];
      const worse = [[0, 2, 0], [nan, 0, 0], right[2]!];
      assert.deepEqual(held(iterate(1, wrong, [1, 0, 1]), iterate(2, worse, [0, 1, 1])), [1, 2, 1]);
    }));

  it('forgets at a check, and whom it drops leaves', () =>
    scope(() => {
      using window = new SuspectWindow(iterate(1, right));
      window.add(iterate(1, [[0, 9, 0], right[1]!, [9, 0, 0]]));
      window.clear(null);
      assert.deepEqual(contents(window), [null, null, null]);
      window.add(iterate(2, [[0, 1, 0], right[1]!, right[2]!]));
      window.clear([1, 0]);
      window.add(iterate(3, [right[0]!, [0, 1, 0]]));
      assert.deepEqual(contents(window), [null, 3]);
    }));

  it('leaves nothing behind', () => {
    const before = memoryInfo().liveTensors;
    scope(() => held(iterate(1, right), iterate(2, right)));
    assert.equal(memoryInfo().liveTensors, before);
  });
});
