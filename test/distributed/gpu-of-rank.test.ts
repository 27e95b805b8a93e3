import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gpuOfRank } from '../../src/distributed/gpu-of-rank.js';

describe('the GPU of a rank', () => {
  it('has the number of its rank within the machine', () => {
    assert.deepEqual(
      [0, 1, 2, 3].map((localRank) => gpuOfRank(localRank, 4)),
      [0, 1, 2, 3],
    );
  });

  it('is the only one where a launcher shows each process its own', () => {
    assert.equal(gpuOfRank(3, 1), 0);
  });

  it('is refused where there are more ranks than GPUs, and where there is none', () => {
    for (const [localRank, visible] of [
      [2, 2],
      [0, 0],
    ] as const)
      assert.throws(
        () => gpuOfRank(localRank, visible),
        /visible GPUs, for LOCAL_RANK .* CUDA_VISIBLE_DEVICES/,
      );
  });
});
