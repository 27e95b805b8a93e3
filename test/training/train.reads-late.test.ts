/** On a card the loss of a step is read after the next one was launched: nothing else about a run changes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ShuffledDataset } from '../../src/data/batch-source.js';
import { DatasetTensors } from '../../src/data/dataset-tensors.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { native } from '../../src/engine/native.js';
import { InterruptedError, RunError } from '../../src/errors.js';
import type { RunEvent } from '../../src/runs/events.js';
import { tensor } from '../../src/tensor/create.js';
import { scope } from '../../src/tensor/scope.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { Ema } from '../../src/training/ema.js';
import { type Objective, stateless } from '../../src/training/objectives/objective.js';
import { Sgd } from '../../src/training/optimizers/sgd.js';
import {
  initialProgress,
  type TrainingProgress,
  type TrainOptions,
  train,
} from '../../src/training/train.js';
import { blobs, smallModel } from '../support/blobs.js';
import { learnedNothing, objectives, scalar } from '../support/objectives.js';

process.env.SATIN_MOCK_DEVICE = '1';
setThreads(1);

interface Options
  extends Partial<
    Pick<TrainOptions, 'accumulate' | 'checkpointEvery' | 'clipNorm' | 'epochs' | 'guardEvery' | 'data'>
  > {
  readonly objective?: () => Objective;
  /** @default that of the device */
  readonly readsLate?: boolean;
  readonly device?: string;
  readonly stopAt?: number;
  /** What was stored by an interrupted run. */
  readonly from?: Stored;
}

interface Stored {
  readonly progress: TrainingProgress;
  readonly weights: readonly Float64Array[];
  readonly velocities: readonly (readonly [string, Float64Array])[];
}

/** Two epochs of five steps; with what the run wrote down in its order, and its events without times. */
async function run(options: Options) {
  const { objective: make = objectives['PGD-2']!, device = 'cpu', stopAt, from, ...chosen } = options;
  const dataset = blobs(40);
  using data = new DatasetTensors(dataset, device);
  using model = smallModel(dataset);
  model.network.moveTo(device);
  using objective = make();
  using optimizer = new Sgd(model.network.parameters(), { momentum: 0.9, nesterov: true, weightDecay: 0.01 });
  const state = () => [...model.network.state().values()];
  if (from !== undefined)
    scope(() => {
      for (const [at, numbers] of from.weights.entries())
        state()[at]!.detach().copy_(filled(state()[at]!, numbers));
      const shapes = model.network.parameters();
      optimizer.restore(
        new Map(from.velocities.map(([name, numbers]) => [name, filled(shapes.get(name)!, numbers)])),
      );
    });
  using ema = new Ema(model, { decay: 0.5, warmup: false, batchNorm: 'copy' });
  const log: string[] = [];
  const events: object[] = [];
  let launched = from?.progress.step ?? 0;
  let stored: Stored | null = null;
  const ended = train({
    model,
    data: new ShuffledDataset(data, { flip: true, crop: 1 }),
    objective: {
      ...objective,
      computeGradients: (...given) => {
        if (given[2].part === 0) log.push(`launch ${++launched}`);
        return objective.computeGradients(...given);
      },
    },
    optimizer,
    ema,
    schedule: { name: 'one-cycle', learningRate: 0.1, warmup: 1, final: 0 },
    epochs: 2,
    epochSteps: null,
    batch: 8,
    seed: 0,
    guard: {
      examples: 8,
      chance: 0.9,
      check: () => {
        log.push('guard');
        return { clean: 0.5, fgsm: 0.4, pgd5: 0.3, pgd10: 0.3 };
      },
      measurements: () => ({}),
    },
    evaluate: async function* () {
      log.push('evaluate');
      yield ['validation/clean', launched];
    },
    checkpointEvery: null,
    progress: from?.progress ?? initialProgress,
    record: (event: RunEvent) => {
      log.push(`${event.type} ${'step' in event ? event.step : ''}`.trim());
      const { time: _, ...rest } = event;
      const clocked = ['seconds', 'imagesPerSecond'];
      events.push(Object.fromEntries(Object.entries(rest).filter(([key]) => !clocked.includes(key))));
    },
    checkpoint: (name, progress) => {
      log.push(`store ${name} ${progress.step}`);
      if (name !== 'last') return;
      stored = {
        progress,
        weights: state().map((each) => each.numbers()),
        velocities: [...optimizer.state()].map(([part, each]) => [part, each.numbers()]),
      };
    },
    interrupted: () => launched === stopAt,
    ...chosen,
  });
  const error = await ended.then(
    () => null,
    (reason: unknown) => reason,
  );
  const weights = [model, ema.model].flatMap(({ network }) =>
    [...network.state().values()].map((each) => each.numbers()),
  );
  return { log, events, error, weights, stored: stored as Stored | null };
}

const filled = (like: Tensor, numbers: Float64Array) => tensor(numbers, like.shape).to(like.dtype);

describe('a run that reads late', () => {
  const settings = {
    plain: {},
    'with checkpoints and checks of the guard within an epoch': { checkpointEvery: 2, guardEvery: 3 },
    'in parts, with clipped gradients': { accumulate: 2, clipNorm: 0.05 },
    'of Free': { objective: objectives.Free! },
    'with weights that are moved': { objective: objectives['PGD-2 with AWP']! },
  };
  for (const [name, options] of Object.entries(settings))
    it(`comes to the same weights, events and checkpoints: ${name}`, async () => {
      const [now, late] = [
        await run({ ...options, readsLate: false }),
        await run({ ...options, readsLate: true }),
      ];
      assert.equal(late.error, null);
      assert.deepEqual(late.weights, now.weights);
      assert.deepEqual(late.stored, now.stored);
      assert.deepEqual(late.events, now.events);
    });

  it('records a step once the next was launched, but before checks, checkpoints and the end of an epoch', async () => {
    const { log } = await run({ readsLate: true, checkpointEvery: 2, guardEvery: 3, epochs: 1 });
    assert.deepEqual(log, [
      'store last 0',
      'checkpoint 0',
      'launch 1',
      'launch 2',
      'step 1',
      'step 2',
      'store last 2',
      'checkpoint 2',
      'launch 3',
      'step 3',
      'guard',
      'launch 4',
      'step 4',
      'store last 4',
      'checkpoint 4',
      'launch 5',
      'step 5',
      'guard',
      'evaluate',
      'epoch 5',
      'store best 5',
      'checkpoint 5',
      'store last 5',
      'checkpoint 5',
      'end 5',
    ]);
    const { log: direct } = await run({ readsLate: false, epochs: 1 });
    assert.deepEqual(direct.slice(2, 6), ['launch 1', 'step 1', 'launch 2', 'step 2']);
  });

  it('that is stopped has recorded every step, and goes on as if it had not been', async () => {
    const whole = await run({ readsLate: false });
    for (const stopAt of [1, 4, 7]) {
      const first = await run({ readsLate: true, stopAt });
      assert.ok(first.error instanceof InterruptedError);
      assert.deepEqual(first.log.slice(-4), [
        `step ${stopAt}`,
        `interrupted ${stopAt}`,
        `store last ${stopAt}`,
        `checkpoint ${stopAt}`,
      ]);
      const second = await run({ readsLate: true, from: first.stored! });
      const stepsOf = ({ events }: { events: readonly object[] }) =>
        events.filter((event) => 'loss' in event);
      assert.deepEqual([...stepsOf(first), ...stepsOf(second)], stepsOf(whole));
      assert.deepEqual(second.stored, whole.stored);
    }
  });

  it('ends for a loss that is no number one step later, and stores nothing after it', async () => {
    const broken = (at: number) => () =>
      stateless((model, _, { step }) => learnedNothing(model, { loss: step + 1 === at ? Number.NaN : 1 }));
    for (const [at, last] of [
      [1, 2],
      [3, 4],
      [4, 4], // a checkpoint is due after it
      [5, 5], // the last of its epoch
    ] as const) {
      const { log, events, error } = await run({
        readsLate: true,
        checkpointEvery: 4,
        objective: broken(at),
      });
      assert.ok(error instanceof RunError);
      assert.match(error.message, new RegExp(`^The loss of step ${at} \\(epoch 1\\) is NaN\\.`));
      assert.equal(log.filter((line) => line.startsWith('launch')).at(-1), `launch ${last}`);
      assert.deepEqual(
        log.filter((line) => line.startsWith('store')),
        at === 5 ? ['store last 0', 'store last 4'] : ['store last 0'],
      );
      assert.deepEqual(events.at(-1), {
        type: 'failed',
        epoch: 1,
        step: at - 1,
        message: error.message,
      });
    }
  });

  it('ends for a norm that is no number', async () => {
    const broken = () =>
      stateless((model, _, { step }) => {
        const learned = learnedNothing(model);
        if (step === 2) learned.gradients[0]!.addNumber_(Number.POSITIVE_INFINITY);
        return learned;
      });
    const { log, error } = await run({ readsLate: true, clipNorm: 1, objective: broken });
    assert.ok(error instanceof RunError);
    assert.match(error.message, /^The norm of the gradient of step 3 \(epoch 1\) is Infinity/);
    assert.equal(log.at(-1), 'failed 2');
  });

  it('records what came before a warning first, and before images that cannot be read', async () => {
    const source = (fails: boolean): TrainOptions['data'] => {
      let taken = 0;
      return {
        count: 40,
        take: async () => {
          taken++;
          if (taken === 4 && fails) throw new RunError('bad-images', 'Too many broken images.');
          const warnings = taken === 3 ? ['An image was skipped.'] : [];
          const batch = () => ({ x: scalar(0), labels: scalar(0), ids: [] });
          return { warnings, broken: [], labels: () => [], batch };
        },
      };
    };
    const still = () => stateless((model) => learnedNothing(model));
    const { log } = await run({ readsLate: true, data: source(true), objective: still, guardEvery: 100 });
    assert.deepEqual(log.slice(2), [
      'launch 1',
      'launch 2',
      'step 1',
      'step 2',
      'warning 3',
      'launch 3',
      'step 3',
      'failed 3',
    ]);
  });
});

describe('a step', () => {
  /** Reads from one step, or part of it, to the next. */
  async function readsBetween(make: () => Objective, options: Options): Promise<readonly number[]> {
    const counts: number[] = [];
    const objective = () => {
      const made = make();
      return {
        ...made,
        computeGradients: (...given: Parameters<Objective['computeGradients']>) => {
          counts.push(native().mockReadCount());
          return made.computeGradients(...given);
        },
      };
    };
    await run({ ...options, device: 'mock', objective, epochs: 1 });
    return counts.slice(1).map((count, index) => count - counts[index]!);
  }

  for (const [name, make] of Object.entries(objectives)) {
    const partsOf = name === 'Free' ? [1] : [1, 2];
    it(`on another device begins one read: ${name}`, async () => {
      for (const accumulate of partsOf) {
        const reads = await readsBetween(make, { accumulate, clipNorm: 0.1 });
        const expected = reads.map((_, index) => ((index + 1) % accumulate === 0 ? 1 : 0));
        assert.deepEqual(reads, expected, `${accumulate} parts`);
      }
    });
  }

  it('on another device is recorded after the next was launched', async () => {
    const { log, error } = await run({ device: 'mock', epochs: 1 });
    assert.equal(error, null);
    assert.deepEqual(log.slice(2, 6), ['launch 1', 'launch 2', 'step 1', 'launch 3']);
  });
});
