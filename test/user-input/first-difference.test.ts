import assert from 'node:assert/strict';
import { it } from 'node:test';
import { firstDifference } from '../../src/user-input/first-difference.js';

it('the first difference is named by its path, in the order of the first one', () => {
  const first = { a: 1, b: { c: [1, 2], d: 'x' }, e: 5 };
  assert.equal(firstDifference(first, structuredClone(first)), undefined);
  assert.deepEqual(firstDifference(first, { e: 6, b: { d: 'y', c: [1, 2] }, a: 1 }), {
    path: 'b.d',
    first: 'x',
    second: 'y',
  });
});

it('a key that only one has differs from undefined', () => {
  assert.deepEqual(firstDifference({ a: { b: 1 } }, { a: {} }), { path: 'a.b', first: 1, second: undefined });
  assert.deepEqual(firstDifference({}, { c: null }), { path: 'c', first: undefined, second: null });
});

it('lists and plain values differ as a whole', () => {
  assert.deepEqual(firstDifference({ a: [1, 2] }, { a: [1, 3] }), {
    path: 'a',
    first: [1, 2],
    second: [1, 3],
  });
  assert.deepEqual(firstDifference({ a: 1 }, null), { path: 'root', first: { a: 1 }, second: null });
});
