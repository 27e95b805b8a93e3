import assert from 'node:assert/strict';
import { it } from 'node:test';
import { scalarsOf } from '../../src/runs/scalars.js';

const time = '2026-11-27T10:00:00.500Z';

it('dashboards draw steps and measurements, by the names of the events, and nothing of others', () => {
  const step = { type: 'step', time, epoch: 1, step: 10, loss: 2.5, accuracy: 0.25 } as const;
  assert.deepEqual(scalarsOf({ ...step, learningRate: 0.1, imagesPerSecond: 100 }), [
    { tag: 'step/loss', value: 2.5 },
    { tag: 'step/accuracy', value: 0.25 },
    { tag: 'step/learning-rate', value: 0.1 },
    { tag: 'step/images-per-second', value: 100 },
  ]);
  const measurements = { 'validation/clean': 0.5, 'validation/robust/linf-8-255/pgd-10': 0.25 };
  assert.deepEqual(scalarsOf({ type: 'epoch', time, epoch: 1, step: 20, seconds: 3, measurements }), [
    { tag: 'validation/clean', value: 0.5 },
    { tag: 'validation/robust/linf-8-255/pgd-10', value: 0.25 },
  ]);
  assert.deepEqual(scalarsOf({ type: 'warning', time, step: 3, message: 'x' }), []);
});
