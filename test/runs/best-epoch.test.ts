import assert from 'node:assert/strict';
import { it } from 'node:test';
import { bestEpoch } from '../../src/runs/best-epoch.js';
import type { RunEvent } from '../../src/runs/events.js';

const time = '2026-01-01T00:00:00.000Z';
const epoch = (epoch: number, measurements: Record<string, number>): RunEvent => ({
  type: 'epoch',
  time,
  epoch,
  step: 10 * epoch,
  seconds: 1,
  measurements,
});
const kept = (epoch: number, file: 'best' | 'last'): RunEvent => ({
  type: 'checkpoint',
  time,
  epoch: epoch + 1,
  step: 10 * epoch,
  file,
});
const robust = 'validation/robust/linf-8-255/pgd-10';

it('the best epoch is that of the last best checkpoint, with what validation measured there', () => {
  const events = [
    epoch(1, { 'train/loss': 2, 'validation/clean': 0.5, [robust]: 0.2 }),
    kept(1, 'best'),
    epoch(2, { 'validation/clean': 0.4, [robust]: 0.3 }),
    kept(2, 'best'),
    epoch(3, { 'validation/clean': 0.9, [robust]: 0.1 }),
    kept(3, 'last'),
  ];
  assert.deepEqual(bestEpoch(events), { epoch: 2, clean: 0.4, robust: 0.3, chosenBy: 'robust' });
  const byClean = [epoch(1, { [robust]: 0, 'validation/clean': 0.5 }), kept(1, 'best')];
  assert.deepEqual(bestEpoch(byClean), { epoch: 1, clean: 0.5, robust: 0, chosenBy: 'clean' });
});

it('there is none before the first epoch, and without validation images', () => {
  assert.equal(bestEpoch([]), null);
  assert.equal(bestEpoch([epoch(1, { 'train/loss': 2 }), kept(1, 'best')]), null);
  assert.equal(bestEpoch([epoch(1, { 'validation/clean': 0.5 })]), null);
});
