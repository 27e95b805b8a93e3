import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { orderOf } from '../../../src/data/imagenet/shuffle.js';

describe('the order of shards', () => {
  const indices = Uint32Array.from({ length: 400 }, (_, at) => at);
  const starts = [0, 100, 200, 300];
  const order = (buffer: number | null, pass = 1) => [
    ...orderOf({ seed: 1, pass, indices, shards: starts, buffer }),
  ];

  it('takes each image once, and no image before its window', () => {
    for (const buffer of [1, 10, 1000, null])
      assert.deepEqual(
        [...order(buffer)].sort((a, b) => a - b),
        [...indices],
      );
    const inTurn = order(1);
    assert.notDeepEqual(inTurn, [...indices]);
    assert.deepEqual(inTurn.slice(0, 100), [...indices].slice(inTurn[0], inTurn[0]! + 100));
    const turn = new Map(inTurn.map((index, at) => [index, at]));
    for (const [at, index] of order(10).entries()) assert.ok(turn.get(index)! < at + 10);
    assert.notDeepEqual(order(10), order(10, 2));
    assert.deepEqual(order(10), order(10));
  });
});
