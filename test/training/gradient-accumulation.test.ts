/** What a step does beside learning: parts of a batch, clipped gradients, losses that are no number. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ShuffledDataset } from '../../src/data/batch-source.js';
import { DatasetTensors } from '../../src/data/dataset-tensors.js';
import { singleProcess } from '../../src/distributed/process-group.js';
import { memoryInfo, setThreads } from '../../src/engine/engine-info.js';
import { InputError, RunError } from '../../src/errors.js';
import { Model } from '../../src/models/model.js';
import { crossEntropy } from '../../src/nn/losses.js';
import { scope } from '../../src/tensor/scope.js';
import { accumulateGradients } from '../../src/training/gradient-accumulation.js';
import {
  type GradientResult,
  gradientsOf,
  type Objective,
  stateless,
} from '../../src/training/objectives/objective.js';
import { Sgd } from '../../src/training/optimizers/sgd.js';
import { initialProgress, type TrainOptions, train } from '../../src/training/train.js';
import { blobs } from '../support/blobs.js';
import { assertClose, double } from '../support/close.js';
import { learnedNothing, scalar } from '../support/objectives.js';

setThreads(1);

const dataset = blobs(24);

const create = () =>
  scope(() =>
    Model.create(
      {
        architecture: 'resnet8',
        width: 1 / 8,
        activation: 'silu',
        classes: dataset.classes,
        shape: dataset.shape,
        normalise: null,
      },
      { seed: 1, dtype: 'float64' },
    ),
  );

/** Cross-entropy in float64 with batch norm in evaluation mode: the whole batch is the sum of its parts. */
const exact = stateless((model, { x, labels }) =>
  gradientsOf(model, {
    labels,
    group: singleProcess,
    compute: () => {
      const logits = model.forward(x.to('float64'), { train: false });
      return { loss: crossEntropy(logits, labels), logits };
    },
  }),
);

type Chosen = Partial<
  Pick<TrainOptions, 'accumulate' | 'clipNorm' | 'objective' | 'batch' | 'record' | 'epochs'>
>;

/** The weights after two steps on batches of 12, or as `options` says. */
async function weightsAfter(options: Chosen = {}): Promise<Float64Array[]> {
  using data = new DatasetTensors(dataset);
  using model = create();
  using optimizer = new Sgd(model.network.parameters(), {
    momentum: 0.9,
    nesterov: true,
    weightDecay: 0.01,
  });
  try {
    await train({
      model,
      data: new ShuffledDataset(data, { flip: true, crop: 1 }),
      objective: exact,
      optimizer,
      schedule: { name: 'constant', learningRate: 0.1, warmup: 0 },
      epochs: 1,
      epochSteps: null,
      batch: 12,
      seed: 0,
      evaluate: async function* () {},
      checkpointEvery: null,
      progress: initialProgress,
      record: () => {},
      checkpoint: () => {},
      interrupted: () => false,
      ...options,
    });
  } catch (error) {
    if (!(error instanceof RunError)) throw error;
  }
  return weightsOf(model);
}

const weightsOf = ({ network }: Model) => [...network.parameters().values()].map((each) => each.numbers());
const initial = (() => {
  using model = create();
  return weightsOf(model);
})();

describe('a batch that is learned from in parts', () => {
  it('gives the weights, loss and accuracy of the whole batch', async () => {
    const shown = async (accumulate: number) => {
      const steps: number[] = [];
      const weights = await weightsAfter({
        accumulate,
        record: (event) => {
          if (event.type === 'step') steps.push(event.loss, event.accuracy);
        },
      });
      return { weights, steps };
    };
    const whole = await shown(1);
    assert.equal(whole.steps.length, 4);
    assert.notDeepEqual(whole.weights, initial);
    for (const accumulate of [2, 3, 12]) {
      const parts = await shown(accumulate);
      assertClose(
        parts.steps,
        whole.steps,
        { relative: 1e-7, absolute: 1e-9 },
        `losses and accuracies of ${accumulate} parts`,
      );
      for (const [at, weights] of whole.weights.entries())
        assertClose(
          parts.weights[at]!,
          weights,
          { relative: 1e-9, absolute: 1e-12 },
          `weights ${at} after ${accumulate} parts`,
        );
    }
  });

  it('is told which part it is, shows each image once, and takes one step of the optimiser', async () => {
    const seen: { ids: readonly number[]; part: number; step: number; first: number }[] = [];
    const look = stateless((model, { ids }, { part, step, first }) => {
      seen.push({ ids, part, step, first });
      return learnedNothing(model);
    });
    await weightsAfter({ objective: look, accumulate: 3 });
    assert.deepEqual(
      seen.map(({ part, step }) => [step, part]),
      [0, 1].flatMap((step) => [0, 1, 2].map((part) => [step, part])),
    );
    assert.ok(seen.every(({ ids, part, first }) => ids.length === 4 && first === 4 * part));
    assert.equal(new Set(seen.flatMap(({ ids }) => ids)).size, 24);
  });

  it('holds one part and one set of gradients at a time', () => {
    using data = new DatasetTensors(dataset);
    using model = create();
    const before = memoryInfo();
    const begun: { tensors: number; bytes: number }[] = [];
    scope(() => {
      const batchOf = (part: number) => {
        const { liveTensors, liveBytes } = memoryInfo();
        begun.push({ tensors: liveTensors - before.liveTensors, bytes: liveBytes - before.liveBytes });
        return data.batch([part * 2, part * 2 + 1]);
      };
      const place = { seed: 0, epoch: 1, step: 0, stepsPerEpoch: 1, first: 0 };
      return accumulateGradients(exact, model, {
        parts: 4,
        batchOf,
        context: place,
        stopsEarly: true,
      }).loss.item();
    });
    const parameters = [...model.network.parameters().values()];
    const [first, second, ...others] = begun;
    assert.deepEqual(first, { tensors: 0, bytes: 0 });
    assert.equal(second!.tensors, parameters.length + 2); // loss and accuracy
    const bytes = parameters.reduce((sum, { size }) => sum + 8 * size, 0);
    assert.ok(second!.bytes < 1.5 * bytes, `${second!.bytes} bytes for gradients of ${bytes}`); // in blocks of 64
    assert.deepEqual(others, [second, second]);
    assert.deepEqual(memoryInfo().liveTensors, before.liveTensors);
  });

  it('is refused where the parts would not be equal', async () => {
    for (const accumulate of [5, 24, 0.7])
      await assert.rejects(
        weightsAfter({ accumulate }),
        (error) => error instanceof InputError && /a divisor of the batch of 12/.test(error.message),
      );
  });
});

describe('clipped gradients', () => {
  /** A gradient of the same number everywhere. */
  const flat = (value: number): Objective =>
    stateless((model) => {
      const learned = learnedNothing(model);
      for (const gradient of learned.gradients) gradient.addNumber_(value);
      return learned;
    });

  it('are all scaled by one factor, and only above the limit', async () => {
    const count = initial.reduce((sum, { length }) => sum + length, 0);
    const options = { batch: 24 };
    const norm = 2 * Math.sqrt(count);
    const clipped = await weightsAfter({ ...options, objective: flat(2), clipNorm: norm / 4 });
    const half = await weightsAfter({
      ...options,
      objective: flat((2 * (norm / 4)) / (norm + 1e-6)),
      clipNorm: null,
    });
    for (const [at, weights] of half.entries()) assertClose(clipped[at]!, weights, double, `weights ${at}`);
    const free = await weightsAfter({ ...options, objective: flat(2) });
    assert.notDeepEqual(free, clipped);
    assert.deepEqual(
      await weightsAfter({ ...options, objective: flat(2), clipNorm: 1.01 * norm }),
      free,
      'below the limit to the bit',
    );
  });

  it('of a norm that is no number end the run before a weight is touched', async () => {
    const messages: string[] = [];
    const weights = await weightsAfter({
      objective: flat(Number.NaN),
      clipNorm: 1,
      record: (event) => {
        if (event.type === 'failed') messages.push(event.message);
      },
    });
    assert.deepEqual(weights, initial);
    assert.match(
      messages.join(),
      /^The norm of the gradient of step 1 \(epoch 1\) is NaN\. The last checkpoint/,
    );
  });
});

describe('a loss that is no number', () => {
  for (const [accumulate, broken] of [
    [1, 0],
    [3, 0],
    [3, 1],
    [3, 2],
  ] as const)
    it(`in part ${broken + 1} of ${accumulate} ends the run before a weight is touched, moved weights put back`, async () => {
      const parts: number[] = [];
      let moved = 0;
      const objective = stateless((model, batch, place): GradientResult => {
        parts.push(place.part);
        moved++;
        const learned = exact.computeGradients(model, batch, place);
        const restore = () => {
          moved--;
        };
        return { ...learned, restore, loss: place.part === broken ? scalar(Number.NaN) : learned.loss };
      });
      const messages: string[] = [];
      const weights = await weightsAfter({
        objective,
        accumulate,
        record: (event) => {
          if (event.type === 'failed') messages.push(event.message);
        },
      });
      assert.deepEqual(weights, initial);
      assert.match(messages.join(), /^The loss of step 1 \(epoch 1\) is NaN/);
      assert.deepEqual(
        parts,
        [0, 1, 2].filter((part) => part <= broken),
        'nothing is learned after it',
      );
      assert.equal(moved, 0, 'every move was taken back');
    });
});
