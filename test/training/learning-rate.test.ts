import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { learningRateAt, type Schedule } from '../../src/training/learning-rate.js';
import { assertClose } from '../support/close.js';
import { readGolden } from '../support/golden.js';

const { cases } = readGolden<{
  cases: readonly {
    readonly epochs: number;
    readonly stepsPerEpoch: number;
    readonly schedule: Schedule;
    readonly learningRates: readonly number[];
  }[];
}>('schedules');

describe('learning rates are those of PyTorch’s schedulers and of the formulas (scripts/golden/schedules.py)', () => {
  it('has golden cases of every schedule, with and without warm-up', () => {
    for (const name of ['constant', 'step', 'cosine', 'one-cycle']) {
      const of = cases.filter(({ schedule }) => schedule.name === name);
      assert.ok(
        of.some(({ schedule }) => schedule.warmup > 0),
        name,
      );
    }
  });

  for (const { epochs, stepsPerEpoch, schedule, learningRates } of cases)
    it(`${JSON.stringify(schedule)}, ${epochs} epochs of ${stepsPerEpoch} steps`, () => {
      assert.equal(learningRates.length, epochs * stepsPerEpoch + 1);
      const rates = learningRates.map((_, step) => learningRateAt(schedule, { step, stepsPerEpoch, epochs }));
      assertClose(rates, learningRates, { relative: 1e-12, absolute: 1e-15 }, 'learning rate');
    });

  it('has one that warms up from a rate above 0, and one that does not warm up since that is not below the peak', () => {
    const from = cases.filter(({ schedule }) => (schedule.warmupFrom ?? 0) > 0);
    assert.ok(from.some(({ schedule, learningRates }) => learningRates[0] === schedule.warmupFrom));
    assert.ok(from.some(({ schedule, learningRates }) => learningRates[0] === schedule.learningRate));
  });

  it('never rise above the peak nor fall below 0, whatever the warm-up', () => {
    for (const name of ['cosine', 'one-cycle'] as const)
      for (const warmup of [0, 0.3, 2.5, 4]) {
        const schedule: Schedule = { name, learningRate: 0.2, warmup, final: 0 };
        for (let step = 0; step < 4 * 7; step++) {
          const rate = learningRateAt(schedule, { step, stepsPerEpoch: 7, epochs: 4 });
          assert.ok(rate >= 0 && rate <= 0.2, `${name}, warm-up ${warmup}, step ${step}: ${rate}`);
        }
      }
  });
});
