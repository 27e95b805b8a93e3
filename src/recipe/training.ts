import { z } from 'zod';
import { list } from '../user-input/did-you-mean.js';
import { atLeastZero, between, oneOf, positive, whole, yesOrNo } from '../user-input/schema-fields.js';
import { defaults } from './defaults.js';
import { objectiveFields, objectiveNames } from './objective.js';

const sgd = z
  .strictObject({
    /** Taken where none is given. */
    name: z.literal('sgd').default('sgd'),
    /** From 0 (off) to 1. @default 0.9 */
    momentum: between(0, 1).default(defaults.sgd.momentum),
    /** Nesterov's momentum. @default true */
    nesterov: yesOrNo().default(defaults.sgd.nesterov),
    /** L2 penalty on weights of convolutions and linear layers, on nothing else. @default 5e-4 */
    weightDecay: atLeastZero().default(defaults.sgd.weightDecay),
  })
  .refine(({ momentum, nesterov }) => momentum > 0 || !nesterov, {
    path: ['nesterov'],
    error: 'with a momentum of 0 it would have no effect. Set it to false.',
  });

const adamFields = (standard: { readonly weightDecay: number }) => ({
  /** Decay of the mean of gradients. @default 0.9 */
  beta1: between(0, 0.999999).default(defaults.adam.beta1),
  /** Decay of the mean of their squares. @default 0.999 */
  beta2: between(0, 0.999999).default(defaults.adam.beta2),
  /** @default 1e-8 */
  epsilon: positive().default(defaults.adam.epsilon),
  /** On weights of convolutions and linear layers: an L2 penalty, or apart from the gradient (adamw). @default 0 or 0.01 */
  weightDecay: atLeastZero().default(standard.weightDecay),
});
const adam = z.strictObject({ name: z.literal('adam'), ...adamFields(defaults.adam) });
const adamw = z.strictObject({ name: z.literal('adamw'), ...adamFields(defaults.adamw) });

const optimizer = z
  .discriminatedUnion('name', [sgd, adam, adamw], { error: "'sgd', 'adam' or 'adamw'" })
  .prefault({});

/** The highest learning rate of the run. */
const learningRate = positive();
/** Epochs, in parts too, over which the learning rate rises from 0 to its peak. @default 0 */
const warmup = atLeastZero().default(defaults.schedule.warmup);
/** The learning rate at the end. @default 0 */
const final = atLeastZero().default(defaults.schedule.final);

const schedule = z.discriminatedUnion(
  'name',
  [
    z.strictObject({ name: z.literal('constant'), learningRate, warmup }),
    z.strictObject({
      name: z.literal('step'),
      learningRate,
      warmup,
      /** Epochs at whose start the learning rate is multiplied by `factor`. */
      milestones: z.array(positive(), { error: 'a list of epochs' }).min(1, { error: 'at least one epoch' }),
      /** @default 0.1 */
      factor: between(0, 1)
        .refine((value) => value < 1, {
          error: 'with a factor of 1 the schedule never steps. Take constant.',
        })
        .default(defaults.schedule.factor),
    }),
    z.strictObject({ name: z.literal('cosine'), learningRate, warmup, final }),
    // One-cycle is its warm-up: there is no default that suits short and long runs.
    z.strictObject({ name: z.literal('one-cycle'), learningRate, warmup: positive(), final }),
  ],
  { error: "'constant', 'step', 'cosine' or 'one-cycle'" },
);

/** Exponential moving average of the weights; what is measured and kept is the average. */
const ema = z
  .strictObject({
    /** From 0 to below 1. @default 0.995 */
    decay: atLeastZero()
      .refine((value) => value < 1, { error: 'a number from 0 to below 1', params: { expected: true } })
      .default(defaults.ema.decay),
    /** Begin with min(decay, (1 + t) / (10 + t)) after step t. @default true */
    warmup: yesOrNo().default(defaults.ema.warmup),
    /** Running statistics of batch norm: the live network's, or averaged too. @default 'copy' */
    batchNorm: oneOf(['copy', 'average']).default(defaults.ema.batchNorm),
  })
  .nullable()
  .default(defaults.training.ema);

/** Watches for catastrophic overfitting: docs/training.md. */
const guard = z
  .strictObject({
    /** Steps between checks; null: only at the end of each epoch, where there always is one. @default null */
    every: whole(1).nullable().default(defaults.guard.every),
    /** Training images that are attacked. @default 128 */
    examples: whole(1).default(defaults.guard.examples),
  })
  .nullable()
  .prefault({});

const commonFields = {
  /** How often the network is measured; an epoch is a pass over the training set, unless `epochSteps` says otherwise. */
  epochs: whole(1),
  /** Steps an epoch; null is as many as a pass over the training set takes. @default null */
  epochSteps: whole(1).nullable().default(defaults.training.epochSteps),
  /** Images a step. */
  batch: whole(1),
  /** Seed of initial weights, order, augmentation and attack noise. @default 0 */
  seed: whole(0).default(defaults.training.seed),
  optimizer,
  schedule,
  /** Parts that a batch is learned from one after another, for the memory's sake. @default 1 */
  accumulate: whole(1).default(defaults.training.accumulate),
  /** Largest L2 norm of all gradients together; above it they are scaled down. null is without. @default null */
  clipNorm: positive().nullable().default(defaults.training.clipNorm),
  ema,
  /** What the convolutions and linear layers of an update multiply; attacks and weights are float32. @default 'float32' */
  precision: oneOf(['float32', 'bfloat16']).default(defaults.training.precision),
  /** What batch norm's statistics are of, with several processes: the whole batch, or each one's part. @default 'synchronised' */
  batchNorm: oneOf(['synchronised', 'ghost']).default(defaults.training.batchNorm),
  /** Steps between checkpoints within an epoch; null: one at the end of each epoch. @default null */
  checkpointEvery: whole(1).nullable().default(defaults.training.checkpointEvery),
};

const { clean, pgd, fast, free, sat, trades, mart } = objectiveFields;
const guarded = { ...commonFields, guard };

/** A problem of the training section: where, and what is said. */
interface Problem {
  readonly path: readonly string[];
  readonly message: string;
}

export const training = z
  .discriminatedUnion(
    'objective',
    [
      z.strictObject({ objective: z.literal('clean'), ...clean, ...commonFields }),
      z.strictObject({ objective: z.literal('pgd'), ...pgd, ...guarded }),
      z.strictObject({ objective: z.literal('fast'), ...fast, ...guarded }),
      z.strictObject({ objective: z.literal('free'), ...free, ...guarded }),
      z.strictObject({ objective: z.literal('sat'), ...sat, ...guarded }),
      z.strictObject({ objective: z.literal('trades'), ...trades, ...guarded }),
      z.strictObject({ objective: z.literal('mart'), ...mart, ...guarded }),
    ],
    { error: list(objectiveNames) },
  )
  .superRefine((value, context) => {
    for (const { path, message } of [...scheduleProblems(value), ...combinationProblems(value)])
      context.addIssue({ code: 'custom', path: [...path], message });
  });

type Training = z.output<typeof training>;

function* scheduleProblems({ epochs, schedule }: Training): Generator<Problem> {
  const { warmup, learningRate } = schedule;
  if (warmup >= epochs)
    yield {
      path: ['schedule', 'warmup'],
      message: `a warm-up of ${warmup} epochs does not end within ${epochs}.`,
    };
  if ('final' in schedule && schedule.final >= learningRate)
    yield {
      path: ['schedule', 'final'],
      message:
        schedule.final > learningRate
          ? `${schedule.final} is above the peak of ${learningRate}.`
          : 'a rate that ends at its peak never falls. Take constant.',
    };
  if (schedule.name !== 'step') return;
  const ordered = [warmup, ...schedule.milestones, epochs];
  if (ordered.some((epoch, index) => index > 0 && epoch <= (ordered[index - 1] ?? 0)))
    yield {
      path: ['schedule', 'milestones'],
      message: `[${schedule.milestones}] must rise, after the warm-up and before epoch ${epochs}, or they never come.`,
    };
}

function* combinationProblems(value: Training): Generator<Problem> {
  const { accumulate, batch, epochs } = value;
  if (batch % accumulate !== 0)
    yield {
      path: ['accumulate'],
      message: `a batch of ${batch} cannot be cut into ${accumulate} equal parts.`,
    };
  if (accumulate > 1 && value.objective === 'free')
    yield { path: ['accumulate'], message: 'free keeps its noise from batch to batch and needs them whole.' };
  if (accumulate > 1 && 'awp' in value && value.awp !== null)
    yield { path: ['accumulate'], message: 'awp moves the weights once a step and needs the batch whole.' };
  if ('awp' in value && value.awp !== null && value.awp.warmup >= epochs)
    yield {
      path: ['awp', 'warmup'],
      message: `it would begin after ${value.awp.warmup} of ${epochs} epochs.`,
    };
  if (!('attack' in value)) return;
  for (const key of ['epsilonWarmup', 'stepWarmup'] as const) {
    const length = key in value.attack ? value.attack[key as 'epsilonWarmup'] : 0;
    if (length >= epochs && length > 0)
      yield {
        path: ['attack', key],
        message: `a warm-up of ${length} epochs does not end within ${epochs}.`,
      };
  }
}
