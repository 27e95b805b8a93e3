import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { attackStreams, normalNoise, uniformNoise, uniformNumber } from '../../src/browser/noise.js';
import { streams } from '../../src/tensor/noise.js';
import { expectedNoise } from '../support/philox.js';

describe('noise in a browser', () => {
  it('has the streams of attacks', () => {
    assert.deepEqual(attackStreams, { start: streams.attack, radius: streams.startRadius });
  });

  for (const [seed, id] of [
    [0, 0],
    [7, 12_345],
    [2 ** 40 + 3, 2 ** 33 + 1],
  ] as const)
    it(`is Satin’s, for the seed ${seed} and the example ${id}`, () => {
      const draw = { seed, id, stream: 4 };
      const key = { ...draw, epoch: 0, restart: 0, rank: 0, step: 0 };
      assert.deepEqual([...uniformNoise(draw, 31)], expectedNoise('uniform', 'float32', key, 31));
      assert.equal(uniformNumber(draw), expectedNoise('uniform', 'float64', key, 1)[0]);
      const [found, wanted] = [normalNoise(draw, 9), expectedNoise('normal', 'float32', key, 9)];
      for (const [at, value] of wanted.entries()) assert.ok(Math.abs(found[at]! - value) < 1e-6);
    });
});
