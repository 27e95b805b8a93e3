import assert from 'node:assert/strict';
import { it } from 'node:test';
import { batches } from '../../src/evaluation/batches.js';

it('chunks hold every place once, in order, the last one what is left', () => {
  assert.deepEqual([...batches([3, 1, 4, 1, 5], 2)], [[3, 1], [4, 1], [5]]);
  assert.deepEqual([...batches([], 2)], []);
});
