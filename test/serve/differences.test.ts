import assert from 'node:assert/strict';
import { test } from 'node:test';
import { differences } from '../../src/serve/differences.js';

test('keys that differ are told with the values of all, null where there is none', () => {
  const one = { name: 'a', training: { epochs: 3, seed: 0 } };
  const other = { name: 'a', training: { epochs: 4, seed: 0, ema: { decay: 0.9 } } };
  assert.deepEqual(differences([one, other]), [
    { key: 'training.epochs', values: ['3', '4'] },
    { key: 'training.ema.decay', values: [null, '0.9'] },
  ]);
});

test('a setting that is off is no difference from a run of a version that did not have it', () => {
  const older = { training: { epochs: 3 } };
  const newer = { training: { epochs: 3, patience: null, classWeights: null } };
  assert.deepEqual(differences([older, newer]), []);
  assert.deepEqual(differences([older, { training: { epochs: 3, patience: 2 } }]), [
    { key: 'training.patience', values: [null, '2'] },
  ]);
});
