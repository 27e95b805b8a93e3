import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { batchOfRank, indicesOfRank } from '../../src/distributed/process-group.js';

describe('shares', () => {
  it('are equal, or refused', () => {
    assert.equal(batchOfRank(12, 'training.batch', { size: 4 }), 3);
    assert.throws(
      () => batchOfRank(10, 'training.batch', { size: 4 }),
      /multiple of the 4 ranks .* received 10/,
    );
  });

  it('of places are apart and leave none out', () => {
    const all = [0, 1, 2].flatMap((rank) => indicesOfRank(10, { rank, size: 3 }));
    assert.deepEqual(
      all.sort((a, b) => a - b),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    );
    assert.deepEqual(indicesOfRank(1, { rank: 1, size: 2 }), []);
  });
});
