import { z } from 'zod';
import { parseActivation } from './activations/parse.js';
import { parseEpsilon } from './epsilon.js';
import { InputError } from './errors.js';
import { atLeastZero, between, oneOf, pixelDistance, positive, text, whole, yesOrNo } from './fields.js';
import { modelNames } from './models/names.js';
import { reportError, validate } from './validate.js';

/**
 * What a recipe is: everything that decides what a training run computes. `load-recipe.ts` reads one from a
 * file; `experiment.ts` makes the parts of it. A key that would have no effect is refused, never ignored.
 */

/** Every value that a recipe may leave out. */
export const defaults = {
  data: {
    dir: null,
    validation: 0.1,
    validationSeed: 0,
    examples: null,
    augment: { flip: false, crop: 0 },
    size: null,
    resize: 'crop',
  },
  model: { width: 1, normalise: 'dataset' },
  attack: { stepSize: null, randomStart: true, batchNorm: 'eval' },
  training: { seed: 0, epochSteps: null, checkpointEvery: null },
  optimizer: { name: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 5e-4 },
  schedule: { warmup: 0, factor: 0.1, final: 0 },
  validation: { attack: 'pgd-10', examples: 1000, batch: 250 },
  device: 'cpu',
  threads: null,
} as const;

const augment = z
  .strictObject({
    /** Mirror each training image left to right with probability one half. @default false */
    flip: yesOrNo().default(defaults.data.augment.flip),
    /** Pad by this many black pixels on each side, then crop at random; 0 is off. @default 0 */
    crop: whole(0).default(defaults.data.augment.crop),
  })
  .prefault({});

const dataFields = {
  /** Examples (1 or more) or share (below 1) of the training set kept for validation; 0 is none. @default 0.1 */
  validation: atLeastZero()
    .refine((value) => value < 1 || Number.isInteger(value), {
      error: 'a whole number of examples, or a share below 1,',
      params: { expected: true },
    })
    .default(defaults.data.validation),
  /** Draws the validation split; apart from the seed of the run, so that paired runs share it. @default 0 */
  validationSeed: whole(0).default(defaults.data.validationSeed),
  /** Train on this many examples only; null is all that are not kept for validation. @default null */
  examples: whole(1).nullable().default(defaults.data.examples),
  augment,
};

const data = z.discriminatedUnion(
  'name',
  [
    z.strictObject({
      name: z.enum(['fashion-mnist', 'mnist', 'cifar10', 'cifar100']),
      /** Where the files lie; null is the places where Satin looks by itself. @default null */
      dir: text('the path of a folder').nullable().default(defaults.data.dir),
      ...dataFields,
    }),
    z.strictObject({
      name: z.literal('folder'),
      /** A folder with one subfolder a class, or with `train` and `test` above those. */
      dir: text('the path of a folder'),
      /** Height and width in pixels to which every image is brought; null: all have one size. @default null */
      size: z
        .tuple([whole(1), whole(1)], { error: 'two whole numbers [height, width]' })
        .nullable()
        .default(defaults.data.size),
      /** How another shape is brought to `size`. @default 'crop' */
      resize: oneOf(['crop', 'stretch', 'pad']).default(defaults.data.resize),
      ...dataFields,
    }),
  ],
  { error: "'fashion-mnist', 'mnist', 'cifar10', 'cifar100' or 'folder'" },
);

const perChannel = z
  .strictObject({
    /** One number a channel, of pixels in [0, 1]. */
    mean: z.array(between(0, 1)).min(1, { error: 'one number a channel' }),
    /** One number a channel, of pixels in [0, 1]. */
    std: z.array(positive()).min(1, { error: 'one number a channel' }),
  })
  .refine(({ mean, std }) => mean.length === std.length, {
    error: 'mean and std must have one number a channel each.',
  });

const model = z.strictObject({
  /** The architecture. */
  name: oneOf(modelNames),
  /** Multiplies the number of channels of every layer; 1 is the width in the literature. @default 1 */
  width: positive().default(defaults.model.width),
  /** `relu`, `silu`, `softplus(10)` and so on. */
  activation: text('the name of an activation').superRefine((value, context) => {
    try {
      parseActivation(value);
    } catch (error) {
      reportError(context, [], error);
    }
  }),
  /** The first layer: mean and deviation of the training set, none, or given ones. @default 'dataset' */
  normalise: z
    .union([z.enum(['dataset', 'none']), perChannel], { error: "'dataset', 'none' or { mean, std }" })
    .default(defaults.model.normalise),
});

const threat = z
  .strictObject({
    norm: oneOf(['linf', 'l2']),
    /** The radius in pixels of [0, 1], as a number or as people write it: 8/255. */
    epsilon: z.union([z.number(), z.string()], { error: 'a number or fraction, such as 8/255,' }),
    /** How the radius was written; only a stored recipe has it, beside the number. */
    epsilonText: text('a text').optional(),
  })
  .transform((value, context) => {
    try {
      const stated = parseEpsilon(value.epsilon, value.norm, 'threat.epsilon');
      const written = parseEpsilon(value.epsilonText ?? value.epsilon, value.norm, 'threat.epsilonText');
      if (stated.epsilon !== written.epsilon)
        throw InputError.expected(`the value of '${value.epsilonText}'`, 'threat.epsilon', value.epsilon);
      return { norm: value.norm, ...written };
    } catch (error) {
      reportError(context, ['epsilon'], error);
      return z.NEVER;
    }
  });

const attack = z.strictObject({
  /** Gradient steps of the attack that makes the training images. */
  steps: whole(1),
  /** Length of a step in pixels, such as 2/255; null is the attack's own choice. @default null */
  stepSize: pixelDistance().nullable().default(defaults.attack.stepSize),
  /** Begin at a random point of the ball rather than at the image. @default true */
  randomStart: yesOrNo().default(defaults.attack.randomStart),
  /** Statistics of batch norm inside the attack: running ones, or those of the batch. @default 'eval' */
  batchNorm: oneOf(['eval', 'train']).default(defaults.attack.batchNorm),
});

const optimizer = z
  .strictObject({
    name: oneOf(['sgd']).default(defaults.optimizer.name),
    /** From 0 (off) to 1. @default 0.9 */
    momentum: between(0, 1).default(defaults.optimizer.momentum),
    /** Nesterov's momentum. @default true */
    nesterov: yesOrNo().default(defaults.optimizer.nesterov),
    /** L2 penalty on weights of convolutions and linear layers, not on biases or batch norm. @default 5e-4 */
    weightDecay: atLeastZero().default(defaults.optimizer.weightDecay),
  })
  .refine(({ momentum, nesterov }) => momentum > 0 || !nesterov, {
    path: ['nesterov'],
    error: 'with a momentum of 0 it would have no effect. Set it to false.',
  })
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
      factor: between(0, 1).default(defaults.schedule.factor),
    }),
    z.strictObject({ name: z.literal('cosine'), learningRate, warmup, final }),
    // One-cycle is its warm-up: there is no default that suits short and long runs.
    z.strictObject({ name: z.literal('one-cycle'), learningRate, warmup: positive(), final }),
  ],
  { error: "'constant', 'step', 'cosine' or 'one-cycle'" },
);

const trainingFields = {
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
  /** Steps between checkpoints within an epoch; null: one at the end of each epoch. @default null */
  checkpointEvery: whole(1).nullable().default(defaults.training.checkpointEvery),
};

const training = z
  .discriminatedUnion(
    'objective',
    [
      z.strictObject({ objective: z.literal('clean'), ...trainingFields }),
      z.strictObject({ objective: z.literal('pgd'), attack, ...trainingFields }),
    ],
    { error: "'clean' or 'pgd'" },
  )
  .superRefine(({ epochs, schedule }, context) => {
    const report = (key: string, message: string) =>
      context.addIssue({ code: 'custom', path: ['schedule', key], message });
    if (schedule.warmup >= epochs)
      report('warmup', `a warm-up of ${schedule.warmup} epochs does not end within ${epochs}.`);
    if ('final' in schedule && schedule.final > schedule.learningRate)
      report('final', `${schedule.final} is above the peak of ${schedule.learningRate}.`);
    if (schedule.name !== 'step') return;
    const ordered = [schedule.warmup, ...schedule.milestones, epochs];
    if (ordered.some((epoch, index) => index > 0 && epoch <= (ordered[index - 1] ?? 0)))
      report(
        'milestones',
        `[${schedule.milestones}] must rise, after the warm-up and before epoch ${epochs}.`,
      );
  });

const validation = z
  .strictObject({
    /** The attack that measures robust accuracy after each epoch: `fgsm` or `pgd-STEPS`. @default 'pgd-10' */
    attack: z
      .string({ error: "'fgsm' or 'pgd-STEPS'" })
      .regex(/^(fgsm|pgd-[1-9]\d*)$/, { error: "'fgsm' or 'pgd-STEPS', such as 'pgd-10'," })
      .default(defaults.validation.attack),
    /** Examples of the validation split that are attacked; all, where it has fewer. @default 1000 */
    examples: whole(1).default(defaults.validation.examples),
    /** Images a batch; changes the speed only. @default 250 */
    batch: whole(1).default(defaults.validation.batch),
  })
  .prefault({});

export const recipeSchema = z
  .strictObject({
    /** Names the run folder: letters, digits, dots, dashes and underscores. */
    name: z
      .string({ error: 'a name' })
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, { error: 'letters, digits, dots, dashes and underscores' }),
    description: text('a text').optional(),
    data,
    model,
    threat,
    training,
    validation,
    /** @default 'cpu' */
    device: oneOf(['cpu', 'cuda']).default(defaults.device),
    /** Threads of the engine; null is one a processor. @default null */
    threads: whole(1).nullable().default(defaults.threads),
  })
  .superRefine(({ data, training }, context) => {
    if (data.examples !== null && data.examples < training.batch)
      context.addIssue({
        code: 'custom',
        path: ['training', 'batch'],
        message: `a batch of ${training.batch} cannot be filled from the ${data.examples} of data.examples.`,
      });
  });

type DeepReadonly<T> = T extends object ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> } : T;

/** A recipe with every default filled in. */
export type Recipe = DeepReadonly<z.output<typeof recipeSchema>>;

/**
 * Validates plain data (YAML or JSON that was read) as a recipe and fills in the defaults. A stored, complete
 * recipe comes back as it is.
 *
 * @throws InputError naming every problem.
 */
export function parseRecipe(input: unknown, source: string): Recipe {
  return validate({ schema: recipeSchema, input, source });
}
