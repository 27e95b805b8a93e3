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

/** What sets one objective apart from another in a recipe: its attack, and the settings that it alone has. */

/** Length of a step in pixels, such as 2/255; null is the objective's own choice (docs/training.md). @default null */
const stepSize = pixelDistance().nullable().default(defaults.attack.stepSize);

const attackFields = {
  stepSize,
  /** Statistics of batch norm inside the attack: running ones, or those of the batch. @default 'eval' */
  batchNorm: oneOf(['eval', 'train']).default(defaults.attack.batchNorm),
  /** Epochs over which ε, and the step with it, rise to their full size. @default 0 */
  epsilonWarmup: atLeastZero().default(defaults.attack.epsilonWarmup),
  /** Epochs over which the step alone rises to its full size. @default 0 */
  stepWarmup: atLeastZero().default(defaults.attack.stepWarmup),
};

/** Gradient steps of the attack that makes the training images. */
const steps = whole(1);

const pgdAttack = z.strictObject({
  steps,
  ...attackFields,
  /** Begin at a random point of the ball rather than at the image. @default true */
  randomStart: yesOrNo().default(defaults.attack.randomStart),
});

const fastAttack = z.strictObject(attackFields).prefault({});

const satAttack = z
  .strictObject({
    steps: steps.default(defaults.sat.steps),
    ...attackFields,
    /** Probability with which a whole batch begins at its images and not at random points. @default 0.2 */
    cleanStart: between(0, 1).default(defaults.sat.cleanStart),
    /** Bring the random start into the box before the first gradient; the released code does not. @default false */
    clipStart: yesOrNo().default(defaults.sat.clipStart),
  })
  .prefault({});

const freeAttack = z
  .strictObject({
    stepSize,
    /** Steps in a row on each batch (m); an epoch has so many times more steps. @default 4 */
    replays: whole(2).default(defaults.free.replays),
    epsilonWarmup: attackFields.epsilonWarmup,
  })
  .prefault({});

/** Both begin at the image with a little noise, and take the same attack but for its loss. */
const divergenceAttack = z
  .strictObject({ steps: steps.default(defaults.trades.steps), ...attackFields })
  .prefault({});

/** Share of a label that is spread over all classes, in the update and not in the attack. */
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

const adversarialFields = (awpGamma: number) => ({
  /** The derivative of another activation, in the attack or in the update (Table 1 of the paper). @default null */
  derivatives: z.strictObject({ attack: fixedActivation, update: fixedActivation }).prefault({}),
  /** Adversarial weight perturbation (Wu et al., 2020); null is without. @default null */
  awp: z
    .strictObject({
      /** Size of the perturbation over the size of the weights. @default 0.01, and 0.005 for trades and mart */
      gamma: between(0, 1).default(awpGamma),
      /** Epochs before it begins. @default 0 */
      warmup: atLeastZero().default(defaults.awp.warmup),
    })
    .nullable()
    .default(defaults.training.awp),
});

const onCrossEntropy = adversarialFields(defaults.awp.gamma.crossEntropy);
const onDivergence = adversarialFields(defaults.awp.gamma.divergence);

const gradAlign = z
  .strictObject({
    /** λ: how much the misalignment of gradients inside the ball counts. @default 0.2 */
    weight: positive().default(defaults.gradAlign.weight),
  })
  .nullable()
  .default(defaults.training.gradAlign);

const smoothed = (standard: number) => ({
  /** Label smoothing in the update. @default 0, and 0.1 for sat */
  labelSmoothing: labelSmoothing.default(standard),
});

/** Names and fields of every objective. */
export const objectiveFields = {
  clean: { ...smoothed(0) },
  pgd: { attack: pgdAttack, ...smoothed(0), ...onCrossEntropy, gradAlign },
  fast: { attack: fastAttack, ...smoothed(0), ...onCrossEntropy, gradAlign },
  free: { attack: freeAttack, ...smoothed(0) },
  sat: { attack: satAttack, ...smoothed(defaults.sat.labelSmoothing), ...onCrossEntropy, gradAlign },
  trades: {
    attack: divergenceAttack,
    /** How much the divergence counts beside the clean loss. @default 6 */
    beta: atLeastZero().default(defaults.trades.beta),
    ...smoothed(0),
    ...onDivergence,
  },
  mart: {
    attack: divergenceAttack,
    /** How much the divergence counts. @default 6 */
    beta: atLeastZero().default(defaults.mart.beta),
    ...onDivergence,
  },
} as const;

export const objectiveNames = Object.keys(objectiveFields) as readonly (keyof typeof objectiveFields)[];
