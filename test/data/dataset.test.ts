import assert from 'node:assert/strict';
import { it } from 'node:test';
import { consecutiveIds, type Dataset, labelArray, subset } from '../../src/data/dataset.js';

it('labels take two bytes from the 257th class on', () => {
  assert.ok(labelArray(1, 256) instanceof Uint8Array);
  assert.ok(labelArray(1, 257) instanceof Uint16Array);
});

it('a subset holds copies of its examples in the order asked for, and refuses positions outside', () => {
  const whole: Dataset = {
    name: 'x:test',
    classes: ['a', 'b'],
    shape: [1, 1, 2],
    images: Uint8Array.of(0, 1, 10, 11, 20, 21),
    labels: Uint8Array.of(0, 1, 0),
    ids: consecutiveIds(3),
    order: 'file',
    warnings: [],
  };
  const part = subset(whole, [2, 0]);
  assert.deepEqual(
    [[...part.images], [...part.labels], [...part.ids]],
    [
      [20, 21, 0, 1],
      [0, 0],
      [2, 0],
    ],
  );
  part.images[0] = 99;
  assert.equal(whole.images[4], 20);
  assert.throws(() => subset(whole, [3]), /Index 3 is outside x:test, which has 3 examples/);
});
