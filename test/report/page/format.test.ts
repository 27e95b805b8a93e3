import assert from 'node:assert/strict';
import { it } from 'node:test';
import {
  count,
  decimal,
  distance,
  duration,
  epsilon,
  list,
  percent,
  percentRange,
  pValue,
  time,
} from '../../../src/report/page/format.js';

/** With ordinary blanks, which are easier to read than those of a page. */
const plain = (text: string) => text.replace(/[\u202f\u00a0]/g, ' ');

it('shares are percentages', () => {
  assert.deepEqual([percent(0.7012), percent(1), percent(0.12345, 2)].map(plain), [
    '70.1 %',
    '100.0 %',
    '12.35 %',
  ]);
  assert.equal(plain(percentRange([0.672, 0.729])), '67.2–72.9 %');
});

it('numbers, words and times read as people write them', () => {
  assert.deepEqual(
    [count(1000), decimal(12_345), decimal(0.123456), decimal(1234.56)],
    ['1,000', '12,345', '0.1235', '1235'],
  );
  assert.deepEqual([list(['a']), list(['a', 'b']), list(['a', 'b', 'c'])], ['a', 'a and b', 'a, b and c']);
  assert.deepEqual([time('2026-01-31T12:00:59.000Z'), time('soon')], ['2026-01-31 12:00 UTC', 'soon']);
});

it('durations have two units at most', () => {
  assert.deepEqual([0.04, 9.94, 10, 59.4, 59.5, 130, 3600, 7384].map(duration).map(plain), [
    '0.0 s',
    '9.9 s',
    '10 s',
    '59 s',
    '1 min 0 s',
    '2 min 10 s',
    '1 h 0 min',
    '2 h 3 min',
  ]);
});

it('a probability never reads 0, and never breaks from its sign', () => {
  assert.deepEqual(
    [pValue(0.00099), pValue(0.001), pValue(0.0083)],
    ['<\u00a00.001', '=\u00a00.001', '=\u00a00.008'],
  );
  assert.equal(epsilon('8/255'), 'ε\u00a0=\u00a08/255');
});

it('a distance is written as its ε is', () => {
  assert.equal(distance(7.98 / 255, { epsilonText: '8/255' }), '7.98/255');
  assert.equal(distance(0.0313, { epsilonText: '0.03' }), '0.0313');
});
