import { type BatchSource, ShuffledDataset } from '../../src/data/batch-source.js';
import { DatasetTensors } from '../../src/data/dataset-tensors.js';
import { type ProcessGroup, singleProcess } from '../../src/distributed/process-group.js';
import { Model } from '../../src/models/model.js';
import { scope } from '../../src/tensor/scope.js';
import { adversarial } from '../../src/training/objectives/adversarial.js';
import { free } from '../../src/training/objectives/free.js';
import { adversarialCrossEntropy, clean, type Objective } from '../../src/training/objectives/objective.js';
import { Sgd } from '../../src/training/optimizers/sgd.js';
import { initialProgress, train } from '../../src/training/train.js';
import { blobs } from './blobs.js';
import { freeOptions, pgd } from './objectives.js';

/** A short training that one process does alone, or several together. */
export interface Job {
  readonly objective: keyof typeof objectives;
  readonly dtype: 'float32' | 'float64';
  readonly steps: number;
  readonly batch: number;
  readonly batchNorm: 'synchronised' | 'ghost' | { readonly ghost: number };
  readonly accumulate?: number;
  readonly classWeights?: readonly number[];
  readonly activation?: string;
}

export interface Outcome {
  /** Parameters and running statistics, one after another. */
  readonly weights: readonly number[];
  readonly losses: readonly number[];
}

const sat = {
  ...pgd,
  steps: 1,
  stepSize: pgd.epsilon,
  start: { kind: 'sat', clean: 0.2, clip: false },
} as const;

type Make = (
  group: ProcessGroup,
  pass: { readonly train: true; readonly synchronised: boolean; readonly ghost?: number | undefined },
) => Objective;

const objectives = {
  clean: (group, pass) => clean({ group, pass }),
  sat: (group, pass) => adversarial({ attack: sat, loss: adversarialCrossEntropy(0.1), group, pass }),
  'sat in groups': (group, pass) => {
    const { ghost } = pass;
    const start = { ...sat.start, clean: 0.5, ...(ghost !== undefined && { group: ghost }) };
    const attack = { ...sat, start, batchNorm: 'train', ghost } as const;
    return adversarial({ attack, group, pass });
  },
  'with every option': (group, pass) =>
    adversarial({
      attack: sat,
      awp: { gamma: 0.01, warmup: 0 },
      gradAlign: { weight: 0.2, detach: false },
      group,
      pass,
    }),
  free: (group, pass) => free({ ...freeOptions, group, pass }),
} as const satisfies Readonly<Record<string, Make>>;

/** Trains a small network on blobs, with a learned activation unless another is named. */
export async function outcomeOf(job: Job, group: ProcessGroup = singleProcess): Promise<Outcome> {
  const { dtype, steps, batch, batchNorm, accumulate = 1, activation = 'psilu', classWeights = null } = job;
  const dataset = blobs(96);
  const { classes, shape } = dataset;
  using data = new DatasetTensors(dataset);
  using model = scope(() =>
    Model.create(
      { architecture: 'resnet8', width: 1 / 8, activation, classes, shape, normalise: null },
      { seed: 1, dtype },
    ),
  );
  using optimizer = new Sgd(model.network.parameters(), {
    momentum: 0.9,
    nesterov: true,
    weightDecay: 5e-4,
  });
  const synchronised = batchNorm === 'synchronised';
  const ghost = typeof batchNorm === 'object' ? batchNorm.ghost : undefined;
  using objective = objectives[job.objective](group, { train: true, synchronised, ghost });
  const losses: number[] = [];
  await train({
    model,
    data: inDtype(new ShuffledDataset(data, { flip: true, crop: 1 }), dtype),
    objective,
    optimizer,
    schedule: { name: 'cosine', learningRate: 0.05, warmup: 0, final: 0 },
    epochs: 1,
    epochSteps: steps,
    batch,
    accumulate,
    classWeights,
    clipNorm: 5,
    seed: 0,
    evaluate: async function* () {},
    checkpointEvery: null,
    progress: initialProgress,
    record: (event) => {
      if (event.type === 'step') losses.push(event.loss);
    },
    checkpoint: () => {},
    interrupted: () => false,
    group,
    ghost: !synchronised && group.size > 1,
  });
  const weights = [...model.network.state().values()].flatMap((each) => [...each.numbers()]);
  return { weights, losses };
}

/** The same images in another precision. */
function inDtype(source: BatchSource, dtype: Job['dtype']): BatchSource {
  return {
    count: source.count,
    take: async (stretch) => {
      const taken = await source.take(stretch);
      return {
        ...taken,
        batch: (from, size) => {
          const batch = taken.batch(from, size);
          return { ...batch, x: batch.x.to(dtype) };
        },
      };
    },
  };
}
