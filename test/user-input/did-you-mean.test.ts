import assert from 'node:assert/strict';
import { it } from 'node:test';
import { nearest, quotedList } from '../../src/user-input/did-you-mean.js';

it('the nearest name is found whatever its case, and none where more than 40 % of the letters differ', () => {
  const known = ['relu', 'silu', 'softPlus'];
  assert.equal(nearest('RELU', known), 'relu');
  assert.equal(nearest('softpluss', known), 'softPlus');
  assert.equal(nearest('slu', known), 'silu');
  assert.equal(nearest('tanh', known), undefined);
  assert.equal(nearest('', known), undefined);
});

it('names are listed in quotes', () => {
  assert.deepEqual([[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map(quotedList), [
    '',
    "'a'",
    "'a' or 'b'",
    "'a', 'b' or 'c'",
  ]);
});
