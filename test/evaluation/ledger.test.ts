import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Ledger, type LedgerEntry } from '../../src/evaluation/ledger.js';

const clean = (index: number, right: boolean): LedgerEntry => ({ type: 'clean', index, right });
const stood = (attack: string, index: number): LedgerEntry => ({ type: 'stood', attack, index });
const broken = (attack: string, index: number, pixel = 0): LedgerEntry => ({
  type: 'broken',
  attack,
  index,
  image: Float32Array.of(pixel),
});
const cost = (stage: string, forwards: number): LedgerEntry => ({
  type: 'cost',
  stage,
  part: 'sequence',
  forwards,
  backwards: 2 * forwards,
  seconds: 1,
});

it('what is known already is not written again; of two verdicts the one that breaks counts', () => {
  const written: LedgerEntry[] = [];
  const ledger = new Ledger({ entries: [stood('a', 1)], write: (entries) => written.push(...entries) });
  ledger.add([clean(1, true), stood('a', 1)]);
  ledger.add([broken('a', 1), clean(1, false)]);
  ledger.add([stood('a', 1)]);
  assert.deepEqual(
    written.map(({ type }) => type),
    ['clean', 'broken'],
  );
  assert.deepEqual([ledger.isCorrect(1), ledger.isBroken('a', 1)], [true, true]);
});

it('nothing is known of what nobody looked at', () => {
  const ledger = new Ledger();
  assert.deepEqual(
    [ledger.isCorrect(0), ledger.isBroken('a', 0), ledger.brokenBy(['a'], 0)],
    [undefined, undefined, null],
  );
});

it('an example is broken by the first attack that did, and keeps the first image', () => {
  const ledger = new Ledger({ entries: [clean(4, true), clean(2, true), clean(3, false)] });
  ledger.add([broken('b', 2, 0.5), broken('a', 2, 0.25)]);
  assert.equal(ledger.brokenBy(['a', 'b'], 2), 'a');
  assert.deepEqual([...ledger.adversarial], [[2, Float32Array.of(0.5)]]);
  assert.deepEqual(ledger.correct(), [2, 4]);
});

it('costs add up, batch by batch', () => {
  const ledger = new Ledger({ entries: [cost('a', 3), cost('a', 4), cost('clean', 5)] });
  assert.deepEqual(ledger.cost('a', 'sequence'), { forwards: 7, backwards: 14, seconds: 2 });
  assert.deepEqual(ledger.cost('a', 'alone'), { forwards: 0, backwards: 0, seconds: 0 });
  assert.deepEqual(
    [ledger.batches('a', 'sequence'), ledger.batches('a', 'alone'), ledger.totalSeconds()],
    [2, 0, 3],
  );
});

it('what another rank found is taken over without being written', () => {
  const ledger = new Ledger({ write: () => assert.fail('written') });
  ledger.merge([{ type: 'broken', attack: 'a', index: 0 }]);
  assert.deepEqual([ledger.isBroken('a', 0), ledger.adversarial.size], [true, 0]);
});
