/** Random numbers are a function of their key: a device draws those of the CPU. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { norms } from '../../src/attacks/norms.js';
import { zeros } from '../../src/tensor/create.js';
import { noise } from '../../src/tensor/noise.js';
import { scope } from '../../src/tensor/scope.js';
import { device } from '../support/test-device.js';

const key = { seed: 2 ** 40 + 7, stream: 'attack', epoch: 3, restart: 2, rank: 5, step: 9 } as const;
const ids = Array.from({ length: 301 }, (_, at) => at * 977 + 2 ** 33);

describe(`noise on ${device}`, () => {
  for (const dtype of ['float32', 'float64'] as const)
    for (const shape of [[1], [3], [5, 7], [3, 32, 32]])
      it(`is that of the CPU: ${dtype}, ${shape}`, () =>
        scope(() => {
          const at = (distribution: 'uniform' | 'normal', where: string) =>
            noise(distribution, { key, ids, shape, dtype, device: where });
          assert.equal(at('uniform', device).device, device);
          assert.deepEqual(at('uniform', device).data(), at('uniform', 'cpu').data(), 'to the bit');
          const [found, expected] = [at('normal', device).numbers(), at('normal', 'cpu').numbers()];
          let apart = 0;
          for (const [index, value] of expected.entries()) {
            if (found[index] !== value) apart++;
            // Libraries differ in the last bits of logarithm and cosine.
            assert.ok(
              Math.abs(found[index]! - value) <= 4e-7 * Math.max(1, Math.abs(value)),
              `${found[index]}, ${value}`,
            );
          }
          const most = dtype === 'float32' ? 1e-4 : 1;
          assert.ok(apart / expected.length <= most, `${apart} of ${expected.length} differ`);
        }));

  it('gives the starts of attacks', () =>
    scope(() => {
      for (const norm of [norms.linf, norms.l2])
        for (const start of ['randomStart', 'edgeStart'] as const) {
          const at = (where: string) => {
            const x = zeros([4, 3, 8, 8], 'float32', where).add(0.5);
            return norm[start](x, { epsilon: 0.1, key, ids: [1, 2, 3, 4] }).numbers();
          };
          const expected = at('cpu');
          for (const [index, value] of at(device).entries())
            assert.ok(Math.abs(value - expected[index]!) < 1e-6);
        }
    }));
});
