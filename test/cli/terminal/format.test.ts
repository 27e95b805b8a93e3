import assert from 'node:assert/strict';
import { it } from 'node:test';
import { rate, shortTime } from '../../../src/cli/terminal/format.js';

it('times and rates are short', () => {
  assert.deepEqual([0, 59.4, 59.6, 3599, 3600, 90_000].map(shortTime), [
    '0s',
    '59s',
    '1m 00s',
    '59m 59s',
    '1h 00m',
    '1d 01h',
  ]);
  assert.deepEqual([Number.NaN, Number.POSITIVE_INFINITY, -1].map(shortTime), ['?', '?', '?']);
  assert.deepEqual([3.21, 12.5, 1234.5, Number.POSITIVE_INFINITY].map(rate), ['3.2', '13', '1,235', '?']);
});
