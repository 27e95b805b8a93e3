/** Which weights an evaluation measured, and how far their run had come, is said in one sentence. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { weightsInWords } from '../../src/evaluation/weights-in-words.js';
import { readCheckpoint, writeCheckpoint, writeWeights } from '../../src/runs/checkpoint.js';
import type { RunEvent } from '../../src/runs/events.js';
import { weightsOrigin } from '../../src/runs/weights-origin.js';
import { create, folder, time } from '../support/run-folders.js';

const model = {
  architecture: 'resnet8',
  width: 1,
  activation: 'relu',
  classes: ['a', 'b'],
  shape: [1, 8, 8],
  normalise: null,
} as const;

/** A run of 30 planned epochs of 5 steps, of which some were trained; its best weights are those after epoch 2. */
function runOf(name: string, epochs: number): string {
  using run = create(name);
  const event = (event: RunEvent) => run.appendEvent(event);
  event({ type: 'start', time, epochs: 30, stepsPerEpoch: 5, parameters: 1 });
  for (let epoch = 1; epoch <= epochs; epoch++)
    event({ type: 'epoch', time, epoch, step: 5 * epoch, seconds: 1, measurements: {} });
  const write = (name: 'best' | 'last' | 'healthy', step: number, epoch: number) =>
    writeCheckpoint({ run: run.path, name, step, model, weights: [], state: { epoch } });
  write('best', 10, 3);
  write('healthy', 7, 2);
  write('last', 5 * epochs, epochs + 1);
  return run.path;
}

/** The sentence on a model of a path. */
function sentence(path: string): string | null {
  const weights = weightsOrigin(path, readCheckpoint({ path }));
  return weights && weightsInWords(weights);
}

test('a finished run, and one that is not, name the epoch and how far they came', () => {
  const done = runOf('done', 30);
  assert.equal(sentence(done), 'the weights after epoch 2 of 30, the best by validation');
  const path = runOf('half', 13);
  const checkpoint = (name: string) => join(path, 'checkpoints', `${name}.json`);
  const half = '; the run has trained 13 of its 30 epochs';
  assert.equal(sentence(path), `the weights after epoch 2 of 30, the best by validation${half}`);
  assert.equal(sentence(checkpoint('last')), `the weights after epoch 13 of 30${half}`);
  assert.equal(
    sentence(checkpoint('healthy')),
    `the weights after epoch 1 of 30, the last before it overfitted${half}`,
  );
});

test('weights from before the first epoch have steps, and a file alone says nothing', () => {
  const path = runOf('none', 0);
  assert.equal(
    sentence(join(path, 'checkpoints', 'last.json')),
    'the weights after step 0; the run has trained 0 of its 30 epochs',
  );
  const file = join(folder, 'alone.safetensors');
  writeWeights(file, { model, weights: [] });
  assert.equal(sentence(file), null);
});
