import { z } from 'zod';
import { activationForms } from '../activations/forms.js';
import { parseActivation } from '../activations/parse.js';
import { modelNames } from '../models/architectures/names.js';
import { paddings } from '../nn/same-padding.js';
import { atLeastZero, between, oneOf, positive, text } from '../user-input/schema-fields.js';
import { reportError } from '../user-input/validate.js';
import { defaults } from './defaults.js';

const perChannel = z
  .strictObject({
    mean: z
      .array(between(0, 1), { error: 'a list of numbers' })
      .min(1, { error: 'one number per channel' })
      .describe('One number per channel, for pixels in [0, 1].'),
    std: z
      .array(positive(), { error: 'a list of numbers' })
      .min(1, { error: 'one number per channel' })
      .describe('One number per channel, for pixels in [0, 1].'),
  })
  .refine(({ mean, std }) => mean.length === std.length, {
    error: 'mean and std must have one number per channel each.',
  });

const dropRate = atLeastZero()
  .refine((value) => value < 1, { error: 'a number from 0 to below 1', params: { expected: true } })
  .meta({ exclusiveMaximum: 1 })
  .nullable();

/** The section `model`: the network. */
export const model = z.strictObject({
  name: oneOf(modelNames).describe('The architecture.'),
  width: positive()
    .default(defaults.model.width)
    .describe('Multiplier for the channels of every layer; 1 is the published width.'),
  activation: text('the name of an activation')
    .superRefine((value, context) => {
      try {
        parseActivation(value);
      } catch (error) {
        reportError(context, [], error);
      }
    })
    .meta({ anyOf: activationForms() })
    .describe('`relu`, `silu`, `softplus(10)` and so on (docs/activations.md).'),
  normalise: z
    .union([z.enum(['dataset', 'none']), perChannel], { error: "'dataset', 'none' or { mean, std }" })
    .default(defaults.model.normalise)
    .describe('Input normalisation: mean and standard deviation of the training set, none, or given ones.'),
  padding: oneOf(paddings)
    .default(defaults.model.padding)
    .describe(
      "`same` is TensorFlow's padding, for weights from there; only for the networks for large images.",
    ),
  normEpsilon: positive().default(defaults.model.normEpsilon).describe('ε of batch norm.'),
  dropout: dropRate
    .default(defaults.model.dropout)
    .describe(
      'Dropout rate before the last layer in updates; null for the published one. EfficientNet only.',
    ),
  stochasticDepth: dropRate
    .default(defaults.model.stochasticDepth)
    .describe(
      'Stochastic depth rate in updates, scaled linearly with the block index; null for the published one. EfficientNet only.',
    ),
});

/** Whether an activation has learned coefficients; unknown names are reported elsewhere. */
export function hasLearnedCoefficients(activation: string): boolean {
  try {
    return parseActivation(activation).learned !== null;
  } catch {
    return false;
  }
}
