import { z } from 'zod';
import { parseDerivative } from '../activations/parse.js';
import {
  atLeastZero,
  between,
  oneOf,
  pixelDistance,
  positive,
  text,
  whole,
  yesOrNo,
} from '../user-input/schema-fields.js';
import { reportError } from '../user-input/validate.js';
import { defaults } from './defaults.js';

/** The fields of each training objective: its attack and specific settings. */

/** Step size in pixels, such as 2/255; null for the objective's default (docs/training.md). @default null */
const stepSize = pixelDistance().nullable().default(defaults.attack.stepSize);

const attackFields = {
  stepSize,
  /** Batch norm mode in the attack: running statistics (`eval`) or batch statistics (`train`). @default 'eval' */
  batchNorm: oneOf(['eval', 'train']).default(defaults.attack.batchNorm),
  /** Warm-up of ε, and of the step size with it, in epochs. @default 0 */
  epsilonWarmup: atLeastZero().default(defaults.attack.epsilonWarmup),
  /** Warm-up of the step size only, in epochs. @default 0 */
  stepWarmup: atLeastZero().default(defaults.attack.stepWarmup),
};

/** Number of gradient steps of the training attack. */
const steps = whole(1);

const pgdAttack = z.strictObject({
  steps,
  ...attackFields,
  /** Start from a random point in the ε-ball instead of the image. @default true */
  randomStart: yesOrNo().default(defaults.attack.randomStart),
});

const fastAttack = z.strictObject(attackFields).prefault({});

const satAttack = z
  .strictObject({
    steps: steps.default(defaults.sat.steps),
    ...attackFields,
    /** Probability that a batch starts from the clean images instead of random points. @default 0.2 */
    cleanStart: between(0, 1).default(defaults.sat.cleanStart),
    /** Clip the random start to [0, 1] before the first gradient; the released code does not. @default false */
    clipStart: yesOrNo().default(defaults.sat.clipStart),
  })
  .prefault({});

const freeAttack = z
  .strictObject({
    stepSize,
    /** Consecutive steps on each batch (m), which multiplies the steps per epoch. @default 4 */
    replays: whole(2).default(defaults.free.replays),
    epsilonWarmup: attackFields.epsilonWarmup,
  })
  .prefault({});

/** The attack of trades and mart: the start is the image with small noise; they differ in the loss only. */
const divergenceAttack = z
  .strictObject({ steps: steps.default(defaults.trades.steps), ...attackFields })
  .prefault({});

/** Label smoothing in the update, not in the attack. */
const labelSmoothing = between(0, 0.99);

const fixedActivation = text('the name of an activation or null')
  .superRefine((value, context) => {
    try {
      parseDerivative(value);
    } catch (error) {
      reportError(context, [], error);
    }
  })
  .nullable()
  .default(null);

interface AwpStandard {
  readonly gamma: number;
  readonly warmup: number;
}

const adversarialFields = (standard: AwpStandard) => ({
  /** Surrogate derivatives of the activation in the attack and in the update (Table 1 of the paper). @default null */
  derivatives: z.strictObject({ attack: fixedActivation, update: fixedActivation }).prefault({}),
  /** Adversarial weight perturbation (Wu et al., 2020); null for none. @default null */
  awp: z
    .strictObject({
      /** Norm of the perturbation relative to that of the weights. @default 0.01, and 0.005 for trades and mart */
      gamma: between(0, 1).default(standard.gamma),
      /** Epochs without perturbation at the start. @default 0, and 10 for trades */
      warmup: atLeastZero().default(standard.warmup),
    })
    .nullable()
    .default(defaults.training.awp),
});

const onCrossEntropy = adversarialFields(defaults.awp.crossEntropy);

/** GradAlign (Andriushchenko and Flammarion, 2020); null for none. @default null */
const gradAlign = (at: 'image' | 'start') =>
  z
    .strictObject({
      /** λ: weight of the gradient misalignment within the ε-ball. @default 0.2 */
      weight: positive().default(defaults.gradAlign.weight),
      /** Where the first of the two gradients is taken: at the image, or where the attack starts. @default 'image', and 'start' for fast */
      at: oneOf(['image', 'start']).default(at),
    })
    .nullable()
    .default(defaults.training.gradAlign);
const { fast: atOfFast, others } = defaults.gradAlign.at;

const smoothed = (standard: number) => ({
  /** Label smoothing in the update. @default 0, and 0.1 for sat and gradient-norm */
  labelSmoothing: labelSmoothing.default(standard),
});

/** Names and fields of every objective. */
export const objectiveFields = {
  clean: { ...smoothed(0) },
  pgd: { attack: pgdAttack, ...smoothed(0), ...onCrossEntropy, gradAlign: gradAlign(others) },
  fast: { attack: fastAttack, ...smoothed(0), ...onCrossEntropy, gradAlign: gradAlign(atOfFast) },
  free: { attack: freeAttack, ...smoothed(0) },
  sat: {
    attack: satAttack,
    ...smoothed(defaults.sat.labelSmoothing),
    ...onCrossEntropy,
    gradAlign: gradAlign(others),
  },
  trades: {
    attack: divergenceAttack,
    /** Weight of the KL divergence relative to the clean loss. @default 6 */
    beta: atLeastZero().default(defaults.trades.beta),
    ...smoothed(0),
    ...adversarialFields(defaults.awp.trades),
  },
  mart: {
    attack: divergenceAttack,
    /** Weight of the KL divergence. @default 6 */
    beta: atLeastZero().default(defaults.mart.beta),
    ...adversarialFields(defaults.awp.mart),
  },
  'gradient-norm': {
    /** Weight of the cross-entropy of the clean images. @default 0.8 */
    crossEntropy: positive().default(defaults.gradientNorm.crossEntropy),
    /** Weight of ε times the norm of the input's gradient. @default 1.2 */
    penalty: positive().default(defaults.gradientNorm.penalty),
    /** Epochs in which that weight grows from 0. @default 5 */
    penaltyWarmup: atLeastZero().default(defaults.gradientNorm.penaltyWarmup),
    ...smoothed(defaults.gradientNorm.labelSmoothing),
  },
} as const;

export const objectiveNames = Object.keys(objectiveFields) as readonly (keyof typeof objectiveFields)[];
