import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ShuffledDataset } from '../../src/data/batch-source.js';
import { DatasetTensors } from '../../src/data/dataset-tensors.js';
import { setThreads } from '../../src/engine/engine-info.js';
import type { RunEvent } from '../../src/runs/events.js';
import { stateless } from '../../src/training/objectives/objective.js';
import { Sgd } from '../../src/training/optimizers/sgd.js';
import { initialProgress, train } from '../../src/training/train.js';
import { blobs, smallModel } from '../support/blobs.js';
import { learnedNothing } from '../support/objectives.js';

setThreads(1);

/** Trains on 22 images in batches of 4, so five steps a pass, with an objective that only looks at its batches. */
async function look(options: { readonly epochs: number; readonly epochSteps: number | null }) {
  const dataset = blobs(22);
  using data = new DatasetTensors(dataset);
  using model = smallModel(dataset, { activation: 'relu', seed: 0 });
  using optimizer = new Sgd(model.network.parameters(), { momentum: 0, nesterov: false, weightDecay: 0 });
  const seen: { ids: readonly number[]; epoch: number }[] = [];
  const objective = stateless((_, batch, { epoch }) => {
    seen.push({ ids: batch.ids, epoch });
    return learnedNothing(model);
  });
  const events: RunEvent[] = [];
  await train({
    ...options,
    model,
    data: new ShuffledDataset(data, { flip: true, crop: 1 }),
    objective,
    optimizer,
    schedule: { name: 'constant', learningRate: 0.1, warmup: 0 },
    batch: 4,
    seed: 0,
    evaluate: async function* () {},
    checkpointEvery: null,
    progress: initialProgress,
    record: (event) => events.push(event),
    checkpoint: () => {},
    interrupted: () => false,
  });
  return { seen, events };
}

describe('training', () => {
  it('shows an image at most once a pass, in another order in the next, with another key for its noise', async () => {
    const { seen } = await look({ epochs: 2, epochSteps: null });
    assert.equal(seen.length, 10);
    const passes = [seen.slice(0, 5), seen.slice(5)];
    for (const [place, pass] of passes.entries()) {
      assert.equal(new Set(pass.flatMap(({ ids }) => ids)).size, 20);
      assert.ok(pass.every(({ epoch }) => epoch === place + 1));
    }
    const [first, second] = passes.map((pass) => pass.flatMap(({ ids }) => ids));
    assert.notDeepEqual(first, second);
  });

  it('goes through the same batches, whatever an epoch is', async () => {
    const { seen: whole } = await look({ epochs: 2, epochSteps: null });
    const { seen: parts, events } = await look({ epochs: 3, epochSteps: 3 });
    assert.deepEqual(parts, whole.slice(0, 9));
    const epochs = events.flatMap((event) => (event.type === 'epoch' ? [[event.epoch, event.step]] : []));
    assert.deepEqual(epochs, [
      [1, 3],
      [2, 6],
      [3, 9],
    ]);
  });
});
