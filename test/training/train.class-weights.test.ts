import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ShuffledDataset } from '../../src/data/batch-source.js';
import { DatasetTensors } from '../../src/data/dataset-tensors.js';
import { memoryInfo, setThreads } from '../../src/engine/engine-info.js';
import { clean } from '../../src/training/objectives/objective.js';
import { Sgd } from '../../src/training/optimizers/sgd.js';
import { initialProgress, train } from '../../src/training/train.js';
import { blobs, smallModel } from '../support/blobs.js';
import { largestDifference } from '../support/close.js';

setThreads(1);
const dataset = blobs(48);

/** The weights after six steps without batch statistics, so that a batch is the sum of its parts; and their losses. */
async function trained(
  options: { readonly classWeights?: readonly number[]; readonly accumulate?: number } = {},
) {
  using data = new DatasetTensors(dataset);
  using model = smallModel(dataset, { seed: 1 });
  using optimizer = new Sgd(model.network.parameters(), { momentum: 0.9, nesterov: true, weightDecay: 0 });
  const losses: number[] = [];
  await train({
    ...options,
    model,
    data: new ShuffledDataset(data, { flip: false, crop: 0 }),
    objective: clean({ labelSmoothing: 0.1, pass: { train: false } }),
    optimizer,
    schedule: { name: 'constant', learningRate: 0.05, warmup: 0 },
    epochs: 1,
    epochSteps: 6,
    batch: 12,
    seed: 0,
    evaluate: async function* () {},
    checkpointEvery: null,
    progress: initialProgress,
    record: (event) => {
      if (event.type === 'step') losses.push(event.loss);
    },
    checkpoint: () => {},
    interrupted: () => false,
  });
  const weights = [...model.network.parameters().values()].flatMap((each) => [...each.numbers()]);
  return { weights, losses };
}

describe('class weights', () => {
  const classWeights = [8, 1, 0.5, 2];

  it('are those of the whole batch, in however many parts it is learned from', async () => {
    const whole = await trained({ classWeights });
    for (const accumulate of [2, 6]) {
      const parts = await trained({ classWeights, accumulate });
      assert.ok(largestDifference(parts.losses, whole.losses) < 1e-5);
      assert.ok(largestDifference(parts.weights, whole.weights) < 1e-5, `in ${accumulate} parts`);
    }
    assert.ok(largestDifference((await trained()).weights, whole.weights) > 1e-3, 'and they matter');
  });

  it('change nothing where all are the same, whatever they are, and leave no tensor', async () => {
    const plain = await trained();
    const { liveTensors } = memoryInfo();
    for (const weight of [1, 3]) {
      const same = await trained({ classWeights: [weight, weight, weight, weight] });
      assert.ok(largestDifference(same.weights, plain.weights) < 1e-5);
    }
    assert.equal(memoryInfo().liveTensors, liveTensors);
  });
});
