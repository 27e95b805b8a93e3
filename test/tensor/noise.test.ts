import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setThreads } from '../../src/engine/engine-info.js';
import { type NoiseKey, noise, permutation, streams } from '../../src/tensor/noise.js';
import { scope } from '../../src/tensor/scope.js';
import { assertClose } from '../support/close.js';
import { expectedNoise, philox } from '../support/philox.js';

setThreads(1);

const base: NoiseKey = { seed: 3, stream: 'attack' };

function draw(
  distribution: 'uniform' | 'normal',
  options: { key?: NoiseKey; ids: ArrayLike<number>; count: number; dtype?: 'float32' | 'float64' },
): number[][] {
  const { key = base, ids, count, dtype = 'float32' } = options;
  const numbers = scope(() => noise(distribution, { key, ids, shape: [count], dtype }).numbers());
  return Array.from(ids, (_, row) => [...numbers.slice(row * count, (row + 1) * count)]);
}

describe('the generator of these tests', () => {
  // kat_vectors of Random123, the reference implementation: counter, key, result
  const known: readonly (readonly [string, string, string])[] = [
    ['00000000 00000000 00000000 00000000', '00000000 00000000', '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    ['ffffffff ffffffff ffffffff ffffffff', 'ffffffff ffffffff', '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    ['243f6a88 85a308d3 13198a2e 03707344', 'a4093822 299f31d0', 'd16cfe09 94fdcceb 5001e420 24126ea1'],
  ];
  it('gives the known answers of Philox4x32-10', () => {
    const words = (text: string) => text.split(' ').map((word) => BigInt(`0x${word}`));
    for (const [counter, key, result] of known) {
      const [a, b, c, d] = words(counter);
      const [k0, k1] = words(key);
      assert.deepEqual(philox([a!, b!, c!, d!], [k0!, k1!]), words(result));
    }
  });
});

describe('noise', () => {
  const seeds = [0, 1, 2 ** 32 + 5, Number.MAX_SAFE_INTEGER];
  for (const distribution of ['uniform', 'normal'] as const)
    for (const dtype of ['float32', 'float64'] as const)
      it(`${distribution} in ${dtype} is Philox’s, number by number`, () => {
        for (const [place, seed] of seeds.entries()) {
          const key = {
            seed,
            stream: 'startRadius',
            epoch: place,
            restart: 2 * place,
            rank: 9,
            step: 70_000,
          } as const;
          const ids = [0, 7, 2 ** 33 + 1];
          for (const count of [1, 2, 5, 8]) {
            const rows = draw(distribution, { key, ids, count, dtype });
            for (const [row, id] of ids.entries()) {
              const { epoch, restart, rank, step } = key;
              const fields = { seed, stream: streams.startRadius, epoch, restart, rank, step, id };
              const expected = expectedNoise(distribution, dtype, fields, count);
              // Uniform numbers are exact; a logarithm and a cosine may differ in the last bit.
              if (distribution === 'uniform') assert.deepEqual(rows[row], expected);
              else
                assertClose(
                  rows[row]!,
                  expected,
                  { relative: dtype === 'float32' ? 1.2e-7 : 4e-15, absolute: 1e-15 },
                  `${id}`,
                );
            }
          }
        }
      });

  it('has the shape of an example behind the number of ids', () => {
    scope(() => {
      const drawn = noise('normal', { key: base, ids: new Uint32Array(5), shape: [2, 3, 4] });
      assert.deepEqual([...drawn.shape, drawn.dtype], [5, 2, 3, 4, 'float32']);
      assert.deepEqual(noise('uniform', { key: base, ids: [], shape: [2] }).shape, [0, 2]);
      assert.deepEqual(noise('uniform', { key: base, ids: [1], shape: [0] }).shape, [1, 0]);
    });
  });

  it('of an example depends on its id, neither on the batch nor on the order', () => {
    const ids = Array.from({ length: 40 }, (_, place) => place * 3);
    for (const distribution of ['uniform', 'normal'] as const) {
      const whole = draw(distribution, { ids, count: 130 });
      const backwards = draw(distribution, { ids: [...ids].reverse(), count: 130 });
      assert.deepEqual(backwards.reverse(), whole);
      for (const [row, id] of ids.entries())
        assert.deepEqual(draw(distribution, { ids: [id], count: 130 })[0], whole[row]);
    }
  });

  it('does not depend on the number of threads', () => {
    const one = draw('normal', { ids: [1, 2, 3], count: 20_000 });
    setThreads(2);
    const two = draw('normal', { ids: [1, 2, 3], count: 20_000 });
    setThreads(1);
    assert.deepEqual(two, one);
  });

  it('differs from epoch to epoch, restart to restart, and in every other part of the key', () => {
    const numbers = (key: Partial<NoiseKey>) =>
      draw('uniform', { key: { ...base, ...key }, ids: [1], count: 64 })[0]!;
    const others: readonly Partial<NoiseKey>[] = [
      {},
      { epoch: 1 },
      { epoch: 2 },
      { restart: 1 },
      { rank: 1 },
      { step: 1 },
      { seed: 4 },
      { seed: 3 + 2 ** 32 },
      ...(Object.keys(streams) as (keyof typeof streams)[])
        .filter((stream) => stream !== base.stream)
        .map((stream) => ({ stream })),
    ];
    const drawn = others.map(numbers);
    const seen = new Set(drawn.flat());
    // 24 bits: of some thousand pairs at most one or two fall together
    assert.ok(seen.size >= drawn.length * 64 - 3, `${drawn.length * 64 - seen.size} numbers twice`);
    assert.deepEqual(numbers({}), drawn[0]);
    assert.notDeepEqual(draw('uniform', { ids: [2], count: 64 })[0], drawn[0]);
  });

  it('uniform is spread evenly over [0, 1), normal has mean 0 and variance 1', () => {
    const count = 100_000;
    for (const dtype of ['float32', 'float64'] as const) {
      const uniform = draw('uniform', { ids: [1, 2], count: count / 2, dtype }).flat();
      assert.ok(uniform.every((number) => number >= 0 && number < 1));
      const bins = new Array<number>(20).fill(0);
      for (const number of uniform) bins[Math.floor(number * 20)]!++;
      const chi = bins.reduce((sum, bin) => sum + (bin - count / 20) ** 2 / (count / 20), 0);
      assert.ok(chi < 43.8, `χ² of 19 degrees: ${chi}`); // 1 in 1,000
      const normal = draw('normal', { ids: [1, 2], count: count / 2, dtype }).flat();
      const moment = (power: number) => normal.reduce((sum, number) => sum + number ** power, 0) / count;
      assert.ok(Math.abs(moment(1)) < 4 / Math.sqrt(count), `mean ${moment(1)}`);
      assert.ok(Math.abs(moment(2) - 1) < 4 * Math.sqrt(2 / count), `variance ${moment(2)}`);
      assert.ok(Math.abs(moment(3)) < 4 * Math.sqrt(15 / count), `third moment ${moment(3)}`);
      assert.ok(Math.abs(moment(4) - 3) < 4 * Math.sqrt(96 / count), `fourth moment ${moment(4)}`);
      const neighbours = normal.slice(1).reduce((sum, number, at) => sum + number * normal[at]!, 0) / count;
      assert.ok(Math.abs(neighbours) < 4 / Math.sqrt(count), `neighbours hang together: ${neighbours}`);
    }
  });
});

describe('permutation', () => {
  const shuffle = (key: Partial<NoiseKey> = {}, count = 1000) => [
    ...permutation(count, { seed: 1, stream: 'shuffle', ...key }),
  ];

  it('holds every number once', () => {
    assert.deepEqual(
      shuffle().sort((a, b) => a - b),
      Array.from({ length: 1000 }, (_, place) => place),
    );
    assert.deepEqual(shuffle({}, 0), []);
    assert.deepEqual(shuffle({}, 1), [0]);
  });

  it('is the same for the same key; two epochs and two seeds differ', () => {
    assert.deepEqual(shuffle(), shuffle());
    const fixed = (other: readonly number[]) =>
      shuffle().filter((number, place) => number === other[place]).length;
    for (const other of [shuffle({ epoch: 1 }), shuffle({ seed: 2 }), [...Array(1000).keys()]])
      assert.ok(fixed(other) < 10, `${fixed(other)} of 1,000 in their place`);
  });
});
