import { z } from 'zod';
import { activationForms } from '../activations/forms.js';
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

const stepSize = pixelDistance()
  .nullable()
  .default(defaults.attack.stepSize)
  .describe("Step size in pixels, such as 2/255; null for the objective's default (docs/training.md).");

const attackFields = {
  stepSize,
  batchNorm: oneOf(['eval', 'train'])
    .default(defaults.attack.batchNorm)
    .describe('Batch norm mode in the attack: running statistics (`eval`) or batch statistics (`train`).'),
  epsilonWarmup: atLeastZero()
    .default(defaults.attack.epsilonWarmup)
    .describe('Warm-up of ε, and of the step size with it, in epochs.'),
  stepWarmup: atLeastZero()
    .default(defaults.attack.stepWarmup)
    .describe('Warm-up of the step size only, in epochs.'),
};

const steps = whole(1).describe('Number of gradient steps of the training attack.');

const pgdAttack = z.strictObject({
  steps,
  ...attackFields,
  randomStart: yesOrNo()
    .default(defaults.attack.randomStart)
    .describe('Start from a random point in the ε-ball instead of the image.'),
});

const fastAttack = z.strictObject(attackFields).prefault({});

const satAttack = z
  .strictObject({
    steps: steps.default(defaults.sat.steps),
    ...attackFields,
    cleanStart: between(0, 1)
      .default(defaults.sat.cleanStart)
      .describe('Probability that a batch starts from the clean images instead of random points.'),
    clipStart: yesOrNo()
      .default(defaults.sat.clipStart)
      .describe('Clip the random start to [0, 1] before the first gradient; the released code does not.'),
  })
  .prefault({});

const freeAttack = z
  .strictObject({
    stepSize,
    replays: whole(2)
      .default(defaults.free.replays)
      .describe('Consecutive steps on each batch (m), which multiplies the steps per epoch.'),
    epsilonWarmup: attackFields.epsilonWarmup,
  })
  .prefault({});

/** The attack of trades and mart: the start is the image with small noise; they differ in the loss only. */
const divergenceAttack = z
  .strictObject({ steps: steps.default(defaults.trades.steps), ...attackFields })
  .prefault({});

const labelSmoothing = (standard: number) =>
  between(0, 0.99).default(standard).describe('Label smoothing in the update, not in the attack.');

const fixedActivation = text('the name of an activation or null')
  .superRefine((value, context) => {
    try {
      parseDerivative(value);
    } catch (error) {
      reportError(context, [], error);
    }
  })
  .meta({ anyOf: activationForms({ fixed: true }) })
  .nullable()
  .default(null);

interface AwpStandard {
  readonly gamma: number;
  readonly warmup: number;
}

const adversarialFields = (standard: AwpStandard) => ({
  derivatives: z
    .strictObject({
      attack: fixedActivation.describe(
        'Activation whose derivative the attack uses in place of the network’s; null for its own.',
      ),
      update: fixedActivation.describe(
        'Activation whose derivative the update uses in place of the network’s; null for its own.',
      ),
    })
    .prefault({})
    .describe(
      'Surrogate derivatives of the activation in the attack and in the update (Table 1 of the paper).',
    ),
  awp: z
    .strictObject({
      gamma: between(0, 1)
        .default(standard.gamma)
        .describe('Norm of the perturbation relative to that of the weights.'),
      warmup: atLeastZero().default(standard.warmup).describe('Epochs without perturbation at the start.'),
    })
    .nullable()
    .default(defaults.training.awp)
    .describe('Adversarial weight perturbation (Wu et al., 2020); null for none.'),
});

const onCrossEntropy = adversarialFields(defaults.awp.crossEntropy);

const gradAlign = (at: 'image' | 'start') =>
  z
    .strictObject({
      weight: positive()
        .default(defaults.gradAlign.weight)
        .describe('λ: weight of the gradient misalignment within the ε-ball.'),
      at: oneOf(['image', 'start'])
        .default(at)
        .describe('Where the first of the two gradients is taken: at the image, or where the attack starts.'),
    })
    .nullable()
    .default(defaults.training.gradAlign)
    .describe('GradAlign (Andriushchenko and Flammarion, 2020); null for none.');
const { fast: atOfFast, others } = defaults.gradAlign.at;

const beta = (standard: number) =>
  atLeastZero().default(standard).describe('Weight of the KL divergence relative to the loss beside it.');

const smoothed = (standard: number) => ({ labelSmoothing: labelSmoothing(standard) });

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
    beta: beta(defaults.trades.beta),
    ...smoothed(0),
    ...adversarialFields(defaults.awp.trades),
  },
  mart: {
    attack: divergenceAttack,
    beta: beta(defaults.mart.beta),
    ...adversarialFields(defaults.awp.mart),
  },
  'gradient-norm': {
    crossEntropy: positive()
      .default(defaults.gradientNorm.crossEntropy)
      .describe('Weight of the cross-entropy of the clean images.'),
    penalty: positive()
      .default(defaults.gradientNorm.penalty)
      .describe("Weight of ε times the norm of the input's gradient."),
    penaltyWarmup: atLeastZero()
      .default(defaults.gradientNorm.penaltyWarmup)
      .describe('Epochs in which the weight `penalty` grows from 0.'),
    ...smoothed(defaults.gradientNorm.labelSmoothing),
  },
} as const;

export const objectiveNames = Object.keys(objectiveFields) as readonly (keyof typeof objectiveFields)[];
