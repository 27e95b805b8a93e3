import { z } from 'zod';
import { parseActivation } from '../activations/parse.js';
import { modelNames } from '../models/architectures/names.js';
import { paddings } from '../nn/same-padding.js';
import { atLeastZero, between, oneOf, positive, text } from '../user-input/schema-fields.js';
import { reportError } from '../user-input/validate.js';
import { defaults } from './defaults.js';

const perChannel = z
  .strictObject({
    /** One number per channel, for pixels in [0, 1]. */
    mean: z.array(between(0, 1)).min(1, { error: 'one number per channel' }),
    /** One number per channel, for pixels in [0, 1]. */
    std: z.array(positive()).min(1, { error: 'one number per channel' }),
  })
  .refine(({ mean, std }) => mean.length === std.length, {
    error: 'mean and std must have one number per channel each.',
  });

const dropRate = atLeastZero()
  .refine((value) => value < 1, { error: 'a number from 0 to below 1', params: { expected: true } })
  .nullable();

/** The section `model`: the network. */
export const model = z.strictObject({
  /** The architecture. */
  name: oneOf(modelNames),
  /** Multiplier for the channels of every layer; 1 is the published width. @default 1 */
  width: positive().default(defaults.model.width),
  /** `relu`, `silu`, `softplus(10)` and so on. */
  activation: text('the name of an activation').superRefine((value, context) => {
    try {
      parseActivation(value);
    } catch (error) {
      reportError(context, [], error);
    }
  }),
  /** Input normalisation: mean and standard deviation of the training set, none, or given ones. @default 'dataset' */
  normalise: z
    .union([z.enum(['dataset', 'none']), perChannel], { error: "'dataset', 'none' or { mean, std }" })
    .default(defaults.model.normalise),
  /** `same` is TensorFlow's padding, for weights from there; only for the networks for large images. @default 'symmetric' */
  padding: oneOf(paddings).default(defaults.model.padding),
  /** ε of batch norm. @default 0.00001 */
  normEpsilon: positive().default(defaults.model.normEpsilon),
  /** Dropout rate before the last layer in updates; null for the published one. EfficientNet only. @default null */
  dropout: dropRate.default(defaults.model.dropout),
  /**
   * Stochastic depth rate in updates, scaled linearly with the block index; null for the published one. EfficientNet
   * only.
   *
   * @default null
   */
  stochasticDepth: dropRate.default(defaults.model.stochasticDepth),
});

/** Whether an activation has learned coefficients; unknown names are reported elsewhere. */
export function hasLearnedCoefficients(activation: string): boolean {
  try {
    return parseActivation(activation).learned !== null;
  } catch {
    return false;
  }
}
