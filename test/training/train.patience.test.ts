import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ShuffledDataset } from '../../src/data/batch-source.js';
import { DatasetTensors } from '../../src/data/dataset-tensors.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { InterruptedError } from '../../src/errors.js';
import type { RunEvent } from '../../src/runs/events.js';
import { stateless } from '../../src/training/objectives/objective.js';
import { Sgd } from '../../src/training/optimizers/sgd.js';
import { initialProgress, type TrainingProgress, train } from '../../src/training/train.js';
import { blobs, smallModel } from '../support/blobs.js';
import { learnedNothing } from '../support/objectives.js';

setThreads(1);

interface Course {
  /** What validation finds after each epoch; null: nothing. */
  readonly values: readonly (number | null)[];
  readonly patience?: number | null;
  readonly progress?: TrainingProgress;
  readonly interruptedAt?: number;
}

/** Trains two steps an epoch, and learns nothing: validation says what it is told to. */
async function follow({ values, patience, progress = initialProgress, interruptedAt }: Course) {
  const dataset = blobs(8);
  using data = new DatasetTensors(dataset);
  using model = smallModel(dataset, { activation: 'relu', seed: 0 });
  using optimizer = new Sgd(model.network.parameters(), { momentum: 0, nesterov: false, weightDecay: 0 });
  const events: RunEvent[] = [];
  const saved: { name: string; state: TrainingProgress }[] = [];
  let epoch = progress.epoch - 1;
  const done = train({
    model,
    data: new ShuffledDataset(data, { flip: false, crop: 0 }),
    objective: stateless(() => learnedNothing(model)),
    optimizer,
    schedule: { name: 'constant', learningRate: 0.1, warmup: 0 },
    epochs: values.length,
    ...(patience !== undefined && { patience }),
    epochSteps: null,
    batch: 4,
    seed: 0,
    evaluate: async function* () {
      const value = values[epoch++]!;
      yield ['validation/clean', 1 / epoch]; // falls: it is the last one that counts
      if (value !== null) yield ['validation/robust', value];
    },
    checkpointEvery: null,
    progress,
    record: (event) => events.push(event),
    checkpoint: (name, state) => saved.push({ name, state }),
    interrupted: () => epoch === interruptedAt,
  });
  const ended = await done.then(
    () => true,
    (error: unknown) => {
      if (error instanceof InterruptedError) return false;
      throw error;
    },
  );
  const last = events.at(-1);
  return { ended, epochs: epoch, end: last?.type === 'end' ? last : null, saved };
}

const values = [0.3, 0.5, 0.4, 0.5, 0.9, 0.1];

describe('patience', () => {
  it('ends the run after so many epochs without a better value, of which an equal one is none', async () => {
    const { epochs, end, saved } = await follow({ values, patience: 2 });
    assert.equal(epochs, 4);
    assert.deepEqual([end?.epoch, end?.step, end?.bestEpoch], [4, 8, 2]);
    assert.deepEqual(
      saved.filter(({ name }) => name === 'best').map(({ state }) => state.step),
      [2, 4],
    );
    const last = saved.filter(({ name }) => name === 'last').at(-1)!.state;
    assert.deepEqual([last.epoch, last.waited, last.best], [5, 2, 0.5]);
  });

  it('lets a run go on that is better in time, and one without it', async () => {
    const patient = await follow({ values, patience: 3 });
    assert.deepEqual([patient.epochs, patient.end?.epoch, patient.end?.bestEpoch], [6, 6, undefined]);
    assert.equal((await follow({ values, patience: null })).epochs, 6);
    assert.equal((await follow({ values })).epochs, 6);
  });

  it('says nothing of a run that it would end with its last epoch', async () => {
    const { end } = await follow({ values: [0.5, 0.4, 0.3], patience: 2 });
    assert.deepEqual([end?.epoch, end?.bestEpoch], [3, undefined]);
  });

  it('ends again, without another epoch, what was killed between its last checkpoint and its end', async () => {
    const { saved, end } = await follow({ values, patience: 2 });
    const again = await follow({ values, patience: 2, progress: saved.at(-1)!.state });
    assert.deepEqual([again.epochs, again.saved.length], [4, 0]);
    assert.deepEqual([again.end?.epoch, again.end?.bestEpoch], [end?.epoch, end?.bestEpoch]);
  });

  it('comes to the same end after an interruption, and is not interrupted at its end', async () => {
    const whole = await follow({ values, patience: 2 });
    for (const interruptedAt of [1, 2, 3]) {
      const stopped = await follow({ values, patience: 2, interruptedAt });
      assert.deepEqual([stopped.ended, stopped.epochs], [false, interruptedAt]);
      const rest = await follow({ values, patience: 2, progress: stopped.saved.at(-1)!.state });
      assert.deepEqual([rest.epochs, rest.end?.bestEpoch], [4, 2]);
      assert.deepEqual(rest.saved.at(-1), whole.saved.at(-1));
    }
    assert.equal((await follow({ values, patience: 2, interruptedAt: 4 })).ended, true);
  });
});
