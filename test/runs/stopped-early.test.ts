import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stoppedEarly } from '../../src/runs/stopped-early.js';

test('the sentence names the best epoch and how many followed', () => {
  assert.equal(
    stoppedEarly({ epoch: 7, bestEpoch: 4 }),
    'Stopped early: none of the last 3 epochs was better than epoch 4.',
  );
  assert.equal(
    stoppedEarly({ epoch: 5, bestEpoch: 4 }),
    'Stopped early: epoch 5 was no better than epoch 4.',
  );
  assert.equal(stoppedEarly({ epoch: 7 }), null);
});
