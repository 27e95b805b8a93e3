import assert from 'node:assert/strict';
import { it } from 'node:test';
import { topPredictions } from '../../src/app/predict.js';
import { memoryInfo, setThreads } from '../../src/engine/engine-info.js';
import { tensor } from '../../src/tensor/create.js';
import { assertClose } from '../support/close.js';

setThreads(1);

it('an answer is the likeliest class with its probability by the softmax, and leaves nothing behind', () => {
  using x = tensor(Float64Array.of(0, Math.log(3), Math.log(4), Math.log(6), 0, 0), [2, 3]);
  const before = memoryInfo().liveTensors;
  const found = topPredictions((logits) => logits, x);
  assert.equal(memoryInfo().liveTensors, before);
  assert.deepEqual(
    found.map(({ label }) => label),
    [2, 0],
  );
  assertClose(
    found.map(({ probability }) => probability),
    [0.5, 0.75],
    { relative: 1e-12, absolute: 0 },
    'probability',
  );
});
