import { z } from 'zod';
import { precisions } from '../engine/precision-name.js';
import { quotedList } from '../user-input/did-you-mean.js';
import { atLeastZero, between, oneOf, positive, whole, yesOrNo } from '../user-input/schema-fields.js';
import { defaults } from './defaults.js';
import { objectiveFields, objectiveNames } from './objective.js';

const weightDecayOn = (standard: { readonly weightDecayOn: 'weights' }) =>
  oneOf(['weights', 'all'])
    .default(standard.weightDecayOn)
    .describe('What decays: the weights of convolutions and linear layers, or all parameters.');

const weightDecay = (standard: { readonly weightDecay: number }) =>
  atLeastZero()
    .default(standard.weightDecay)
    .describe('Weight decay: an L2 penalty (sgd, adam), or decoupled (adamw).');

const optimizerName = 'The optimiser.';

const sgd = z
  .strictObject({
    name: z.literal('sgd').default('sgd').describe(optimizerName),
    momentum: between(0, 1).default(defaults.sgd.momentum).describe('Momentum in [0, 1]; 0 is off.'),
    nesterov: yesOrNo().default(defaults.sgd.nesterov).describe('Nesterov momentum.'),
    weightDecay: weightDecay(defaults.sgd),
    weightDecayOn: weightDecayOn(defaults.sgd),
  })
  .refine(({ momentum, nesterov }) => momentum > 0 || !nesterov, {
    path: ['nesterov'],
    error: 'with a momentum of 0 it would have no effect. Set it to false.',
  });

const adamFields = (standard: { readonly weightDecay: number; readonly weightDecayOn: 'weights' }) => ({
  beta1: between(0, 0.999999).default(defaults.adam.beta1).describe('Decay rate of the first moment.'),
  beta2: between(0, 0.999999).default(defaults.adam.beta2).describe('Decay rate of the second moment.'),
  epsilon: positive().default(defaults.adam.epsilon).describe('Added to the denominator of the update.'),
  weightDecay: weightDecay(standard),
  weightDecayOn: weightDecayOn(standard),
});
const adam = z.strictObject({
  name: z.literal('adam').describe(optimizerName),
  ...adamFields(defaults.adam),
});
const adamw = z.strictObject({
  name: z.literal('adamw').describe(optimizerName),
  ...adamFields(defaults.adamw),
});

const optimizer = z
  .discriminatedUnion('name', [sgd, adam, adamw], { error: "'sgd', 'adam' or 'adamw'" })
  .refine(({ weightDecay, weightDecayOn: on }) => weightDecay > 0 || on === 'weights', {
    path: ['weightDecayOn'],
    error: 'with a weightDecay of 0 it would have no effect. Leave it out.',
  })
  .prefault({});

const scheduleName = 'How the learning rate changes.';
const learningRate = positive().describe('Peak learning rate.');
const warmupMeaning = 'Linear warm-up of the learning rate, in (fractional) epochs.';
const warmup = atLeastZero().default(defaults.schedule.warmup).describe(warmupMeaning);
const warmupFrom = atLeastZero()
  .default(defaults.schedule.warmupFrom)
  .describe('Learning rate at the start of the warm-up, which takes place only if it is below the peak.');
const final = atLeastZero().default(defaults.schedule.final).describe('Final learning rate.');

const schedule = z.discriminatedUnion(
  'name',
  [
    z.strictObject({
      name: z.literal('constant').describe(scheduleName),
      learningRate,
      warmup,
      warmupFrom,
    }),
    z.strictObject({
      name: z.literal('step').describe(scheduleName),
      learningRate,
      warmup,
      warmupFrom,
      milestones: z
        .array(positive(), { error: 'a list of epochs' })
        .min(1, { error: 'at least one epoch' })
        .describe('Epochs after which the learning rate is multiplied by `factor`.'),
      factor: between(0, 1)
        .refine((value) => value < 1, {
          error: 'with a factor of 1 the learning rate never changes. Use constant.',
        })
        .meta({ exclusiveMaximum: 1 })
        .default(defaults.schedule.factor)
        .describe('What the learning rate is multiplied by at each milestone.'),
    }),
    z.strictObject({
      name: z.literal('cosine').describe(scheduleName),
      learningRate,
      warmup,
      warmupFrom,
      final,
    }),
    z.strictObject({
      name: z.literal('one-cycle').describe(scheduleName),
      learningRate,
      // It defines one-cycle: no default fits both short and long runs.
      warmup: positive().describe(warmupMeaning),
      warmupFrom,
      final,
    }),
  ],
  { error: "'constant', 'step', 'cosine' or 'one-cycle'" },
);

const ema = z
  .strictObject({
    decay: atLeastZero()
      .refine((value) => value < 1, { error: 'a number from 0 to below 1', params: { expected: true } })
      .meta({ exclusiveMaximum: 1 })
      .default(defaults.ema.decay)
      .describe('Decay in [0, 1).'),
    warmup: yesOrNo()
      .default(defaults.ema.warmup)
      .describe('Use min(decay, (1 + t) / (10 + t)) after step t.'),
    batchNorm: oneOf(['copy', 'average'])
      .default(defaults.ema.batchNorm)
      .describe('Running statistics of batch norm: copied from the trained network, or averaged too.'),
  })
  .nullable()
  .default(defaults.training.ema)
  .describe('Exponential moving average (EMA) of the weights; the average is evaluated and saved.');

const guard = z
  .strictObject({
    every: whole(1)
      .nullable()
      .default(defaults.guard.every)
      .describe(
        'Steps between checks; null for the end of each epoch only, where a check always takes place.',
      ),
    examples: whole(1).default(defaults.guard.examples).describe('Number of training images to attack.'),
  })
  .nullable()
  .prefault({})
  .describe('Detection of catastrophic overfitting (docs/training.md); null for none.');

const commonFields = {
  epochs: whole(1).describe(
    'Number of epochs, each followed by a validation; an epoch is a pass over the training set, unless `epochSteps` is set.',
  ),
  epochSteps: whole(1)
    .nullable()
    .default(defaults.training.epochSteps)
    .describe('Steps per epoch; null for a pass over the training set.'),
  patience: whole(1)
    .nullable()
    .default(defaults.training.patience)
    .describe(
      'Early stopping: the run ends after so many epochs without a better value of what selects the best epoch ' +
        '(docs/training.md#monitoring); null for all epochs.',
    ),
  batch: whole(1).describe('Batch size of a step.'),
  seed: whole(0)
    .default(defaults.training.seed)
    .describe('Seed of initial weights, shuffling, augmentation and attack noise.'),
  optimizer,
  schedule,
  accumulate: whole(1)
    .default(defaults.training.accumulate)
    .describe('Gradient accumulation: number of micro-batches per batch, to save memory.'),
  clipNorm: positive()
    .nullable()
    .default(defaults.training.clipNorm)
    .describe('Gradient clipping: maximum global L2 norm; null for none.'),
  classWeights: z
    .union([z.literal('balanced'), z.array(positive()).min(2, { error: 'one number for each class' })], {
      error: "'balanced' or a list with one number above 0 for each class",
    })
    .nullable()
    .default(defaults.training.classWeights)
    .describe(
      'How much an image counts in the loss, by its class: a number for each class, in their order, or `balanced`, by which ' +
        'every class counts the same in total; null for the same for all images (docs/training.md#class-weights).',
    ),
  ema,
  precision: oneOf(precisions)
    .default(defaults.training.precision)
    .describe(
      "Precision of the network in attacks and updates; weights, their gradients and validation's verdicts are float32. " +
        '`tf32` needs a graphics card.',
    ),
  batchNorm: z
    .union(
      [z.enum(['synchronised', 'ghost']), z.strictObject({ ghost: whole(1).describe('Images of a group.') })],
      { error: "'synchronised', 'ghost' or { ghost: IMAGES }" },
    )
    .default(defaults.training.batchNorm)
    .describe(
      "Batch norm statistics in training: of the whole batch, of each process's part (`ghost`), or of each group of so " +
        'many images, whatever the number of processes. With groups, `sat` draws its clean start for each.',
    ),
  checkpointEvery: whole(1)
    .nullable()
    .default(defaults.training.checkpointEvery)
    .describe('Steps between checkpoints within an epoch; null for one at the end of each epoch.'),
};

const { clean, pgd, fast, free, sat, trades, mart, 'gradient-norm': gradientNorm } = objectiveFields;
const guarded = { ...commonFields, guard };

const objective = <const Name extends string>(name: Name) =>
  z.literal(name).describe('What is trained on (docs/training.md#objectives).');

/** An inconsistency in the training section. */
interface Problem {
  readonly path: readonly string[];
  readonly message: string;
}

export const training = z
  .discriminatedUnion(
    'objective',
    [
      z.strictObject({ objective: objective('clean'), ...clean, ...commonFields }),
      z.strictObject({ objective: objective('pgd'), ...pgd, ...guarded }),
      z.strictObject({ objective: objective('fast'), ...fast, ...guarded }),
      z.strictObject({ objective: objective('free'), ...free, ...guarded }),
      z.strictObject({ objective: objective('sat'), ...sat, ...guarded }),
      z.strictObject({ objective: objective('trades'), ...trades, ...guarded }),
      z.strictObject({ objective: objective('mart'), ...mart, ...guarded }),
      z.strictObject({ objective: objective('gradient-norm'), ...gradientNorm, ...guarded }),
    ],
    { error: quotedList(objectiveNames) },
  )
  .superRefine((value, context) => {
    for (const { path, message } of [...scheduleProblems(value), ...combinationProblems(value)])
      context.addIssue({ code: 'custom', path: [...path], message });
  });

type Training = z.output<typeof training>;

function* scheduleProblems({ epochs, schedule }: Training): Generator<Problem> {
  const { warmup, warmupFrom, learningRate } = schedule;
  if (warmup >= epochs)
    yield {
      path: ['schedule', 'warmup'],
      message: `a warm-up of ${warmup} epochs does not end within ${epochs}.`,
    };
  if (warmupFrom > 0 && warmup === 0)
    yield {
      path: ['schedule', 'warmupFrom'],
      message: 'without a warm-up it would have no effect. Leave it out.',
    };
  if ('final' in schedule && schedule.final >= learningRate)
    yield {
      path: ['schedule', 'final'],
      message:
        schedule.final > learningRate
          ? `${schedule.final} is above the peak of ${learningRate}.`
          : 'a learning rate that ends at its peak never decreases. Use constant.',
    };
  if (schedule.name !== 'step') return;
  const ordered = [warmup, ...schedule.milestones, epochs];
  if (ordered.some((epoch, index) => index > 0 && epoch <= (ordered[index - 1] ?? 0)))
    yield {
      path: ['schedule', 'milestones'],
      message: `[${schedule.milestones}] must increase, after the warm-up and before epoch ${epochs}.`,
    };
}

/** The images of a group in ghost batch norm; undefined for the whole batch or each rank's part. */
export function ghostGroup({ batchNorm }: Pick<Training, 'batchNorm'>): number | undefined {
  return typeof batchNorm === 'object' ? batchNorm.ghost : undefined;
}

function* combinationProblems(value: Training): Generator<Problem> {
  const { accumulate, batch, epochs } = value;
  if (batch % accumulate !== 0)
    yield {
      path: ['accumulate'],
      message: `a batch of ${batch} cannot be split into ${accumulate} equal parts.`,
    };
  const group = ghostGroup(value);
  if (group !== undefined && (batch / accumulate) % group !== 0)
    yield {
      path: ['batchNorm', 'ghost'],
      message: `${accumulate === 1 ? 'a batch' : 'a part'} of ${batch / accumulate} is not a whole number of groups of ${group}. Use a divisor of it.`,
    };
  if (accumulate > 1 && value.objective === 'free')
    yield {
      path: ['accumulate'],
      message: 'free carries its perturbation over to the next batch and does not support it.',
    };
  if (accumulate > 1 && 'awp' in value && value.awp !== null)
    yield {
      path: ['accumulate'],
      message: 'awp perturbs the weights once per step and does not support it.',
    };
  if ('awp' in value && value.awp !== null && value.awp.warmup >= epochs)
    yield {
      path: ['awp', 'warmup'],
      message: `it would start after ${value.awp.warmup} of ${epochs} epochs.`,
    };
  if ('penaltyWarmup' in value && value.penaltyWarmup >= epochs)
    yield {
      path: ['penaltyWarmup'],
      message: `a warm-up of ${value.penaltyWarmup} epochs does not end within ${epochs}.`,
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
