import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseAttack } from '../../src/attacks/attack.js';
import { Ledger, type LedgerEntry } from '../../src/evaluation/ledger.js';
import { wilsonInterval } from '../../src/evaluation/statistics.js';
import { summary } from '../../src/evaluation/summary.js';

const attacks = ['fgsm', 'pgd-10'].map(parseAttack);
const broken = (attack: string, index: number): LedgerEntry => ({
  type: 'broken',
  attack,
  index,
  image: Float32Array.of(index),
});
// Of five images one is wrong as it is, FGSM breaks one and PGD two, one of them alone.
const entries: LedgerEntry[] = [
  ...[0, 1, 2, 3, 4].map((index) => ({ type: 'clean', index, right: index !== 0 }) as const),
  broken('fgsm', 1),
  ...[2, 3, 4].map((index) => ({ type: 'stood', attack: 'fgsm', index }) as const),
  broken('pgd-10', 2),
  broken('pgd-10', 1),
  { type: 'cost', stage: 'fgsm', part: 'sequence', forwards: 8, backwards: 4, seconds: 1 },
  { type: 'cost', stage: 'pgd-10', part: 'alone', forwards: 2, backwards: 1, seconds: 2 },
];
const data = { ids: Uint32Array.of(10, 11, 12, 13, 14), labels: Uint8Array.of(0, 1, 0, 1, 0) };
const found = (alone: boolean) =>
  summary(new Ledger({ entries }), { data, attacks, epsilon: 0.1, classes: 2, alone });

it('accuracies and the sequence are counted from the verdicts', () => {
  const { clean, robust, interval, attacks, perExample, seconds } = found(false);
  assert.deepEqual([clean, robust, interval, seconds], [0.8, 0.4, wilsonInterval(2, 5), 3]);
  assert.deepEqual(
    attacks.map(({ attacked, broken, robustAfter, forwards }) => ({
      attacked,
      broken,
      robustAfter,
      forwards,
    })),
    [
      { attacked: 4, broken: 1, robustAfter: 0.6, forwards: 8 },
      { attacked: 3, broken: 1, robustAfter: 0.4, forwards: 0 },
    ],
  );
  assert.deepEqual(
    perExample.map(({ id, clean, brokenBy }) => [id, clean, brokenBy]),
    [
      [10, false, null],
      [11, true, 'fgsm'],
      [12, true, 'pgd-10'],
      [13, true, null],
      [14, true, null],
    ],
  );
});

it('what an attack breaks alone is counted among all that are right', () => {
  assert.equal(found(false).attacks[1]!.alone, undefined);
  assert.deepEqual(found(true).attacks[1]!.alone, {
    attacked: 4,
    broken: 2,
    forwards: 2,
    backwards: 1,
    seconds: 2,
  });
});

it('attacks name the settings that not all have, and only theirs', () => {
  const named = ['pgd-10', 'pgd-10-cycles', 'apgd-t', 'malt', 'apgd-ce-eot2'].map(parseAttack);
  const { attacks } = summary(new Ledger({ entries }), {
    data,
    attacks: named,
    epsilon: 0.1,
    classes: 2,
    alone: false,
  });
  assert.deepEqual(
    attacks.map(({ cycles, targetsBy, eot }) => [cycles, targetsBy, eot]),
    [
      [undefined, undefined, undefined],
      [true, undefined, undefined],
      [undefined, undefined, undefined],
      [undefined, 'slope', undefined],
      [undefined, undefined, 2],
    ],
  );
});
