/** When APGD looks at its steps in L∞ and L2; what it then does is in apgd.test.ts. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { checkpointsOf } from '../../src/attacks/halving-rule.js';

it('APGD looks at its step after 22, 41, 57, 70, 80, 87, 93 and 99 of 100 steps', () => {
  assert.deepEqual([...checkpointsOf(100)], [22, 41, 57, 70, 80, 87, 93, 99]);
  assert.deepEqual([...checkpointsOf(3)], [1, 2, 3]);
});
