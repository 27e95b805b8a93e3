import assert from 'node:assert/strict';
import { it } from 'node:test';
import { checkInterval } from '../../src/attacks/check-interval.js';

it('on the CPU each iterate is checked; on a card a few steps may be wasted, of Square one in a hundred', () => {
  for (const kind of ['pgd', 'apgd', 'fab', 'square'] as const) {
    assert.equal(checkInterval(kind, 'cpu'), 1);
    assert.equal(checkInterval(kind, 'cuda:0'), kind === 'square' ? 50 : 10);
    assert.equal(checkInterval(kind, 'meta'), checkInterval(kind, 'cuda:1'));
  }
});
