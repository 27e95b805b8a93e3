import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatTraining } from '../../../src/cli/terminal/training-lines.js';

const time = '2026-01-01T00:00:00.000Z';
const robust = 'validation/robust/linf-0.1/pgd-10';

/** What is said at the end of a run whose epochs measured these, in this order. */
function said(epochs: readonly Record<string, number>[]): string {
  const follow = formatTraining();
  for (const [index, measurements] of epochs.entries()) {
    const event = { time, epoch: index + 1, step: index, seconds: 1, measurements };
    const row = follow({ type: 'epoch', ...event });
    assert.equal(row?.kind, 'row');
  }
  const end = follow({ type: 'end', time, epoch: epochs.length, step: 9, seconds: 3 });
  assert.ok(end?.kind === 'note');
  return end.text;
}

describe('the end of a training run', () => {
  it('names the best epoch by the last measurement, the one that chooses', () => {
    const rows = [
      [0.8, 0.5],
      [0.7, 0.6],
      [0.9, 0.4],
    ] as const;
    assert.match(
      said(rows.map(([clean, attacked]) => ({ 'validation/clean': clean, [robust]: attacked }))),
      /Best after epoch 2: 60\.0 ?% under pgd-10; last epoch: 40\.0 ?%\./,
    );
    assert.match(
      said(rows.map(([clean, attacked]) => ({ [robust]: attacked, 'validation/clean': clean })).reverse()),
      /Best after epoch 1: 90\.0 ?% clean; last epoch: 80\.0 ?%\./,
    );
  });

  it('says nothing where no epoch was better than the last, or none was measured', () => {
    assert.doesNotMatch(
      said([
        { 'validation/clean': 0.5, [robust]: 0.1 },
        { 'validation/clean': 0.4, [robust]: 0.2 },
      ]),
      /Best/,
    );
    assert.doesNotMatch(said([{ 'train/loss': 2 }, { 'train/loss': 3 }]), /Best/);
  });
});

it('the end of a run that its patience ended says so', () => {
  const follow = formatTraining();
  const end = follow({ type: 'end', time, epoch: 7, step: 9, seconds: 3, bestEpoch: 4 });
  assert.equal(
    end?.kind === 'note' && end.text,
    'Trained 7 epochs in 3s. Stopped early: none of the last 3 epochs was better than epoch 4.',
  );
});

describe('the time left', () => {
  const at = (seconds: number) => new Date(Date.parse(time) + 1000 * seconds).toISOString();
  const step = (number: number, seconds: number, epoch: number) =>
    ({
      type: 'step',
      time: at(seconds),
      epoch,
      step: number,
      loss: 1,
      accuracy: 0.5,
      learningRate: 0.1,
      imagesPerSecond: 9,
    }) as const;
  const left = (shown: ReturnType<ReturnType<typeof formatTraining>>) => {
    assert.ok(shown?.kind === 'bar');
    return shown.bar.details[0];
  };

  it('is that of the whole run, beside the bar of an epoch too', () => {
    const follow = formatTraining();
    follow({ type: 'start', time, epochs: 3, stepsPerEpoch: 10, parameters: 1 });
    follow(step(1, 0, 1));
    // 2 s a step: 8 steps of this epoch, and two epochs of 10.
    assert.equal(left(follow(step(2, 2, 1))), '56s left');
    const measurements = { 'train/loss': 2 };
    const row = follow({ type: 'epoch', time, epoch: 1, step: 10, seconds: 30, measurements });
    assert.ok(row?.kind === 'row' && /1m 00s$/.test(row.text));
    follow(step(11, 100, 2));
    // With its validation an epoch took 30 s: 8 steps, and one epoch.
    assert.equal(left(follow(step(12, 102, 2))), '46s left');
  });

  it('includes the epochs of the runs that follow', () => {
    const follow = formatTraining({ epochsAfter: 5 });
    follow({ type: 'start', time, epochs: 3, stepsPerEpoch: 10, parameters: 1 });
    follow(step(1, 0, 1));
    assert.equal(left(follow(step(2, 2, 1))), '2m 36s left');
    const row = follow({ type: 'epoch', time, epoch: 1, step: 10, seconds: 30, measurements: {} });
    assert.ok(row?.kind === 'row' && /3m 30s$/.test(row.text), row?.kind === 'row' ? row.text : '');
  });
});
