import assert from 'node:assert/strict';
import { it } from 'node:test';
import { facts } from '../../../src/cli/terminal/facts.js';

it('names and values stand in two columns, and a long value goes on below its beginning', () => {
  const all = [
    ['network', '3.2 M parameters'],
    ['time', 'an hour of training and ten minutes of validation'],
    ['', 'advice'],
  ] as const;
  assert.deepEqual(facts(all, 40), [
    'network  3.2 M parameters',
    'time     an hour of training and ten',
    '         minutes of validation',
    '         advice',
  ]);
  assert.ok(facts(all, 80).every((line) => line.length <= 80));
  assert.deepEqual(facts([['name', 'a\x1b[31m']]), ['name  a\\x1b[31m']);
});
