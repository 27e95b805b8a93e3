import { z } from 'zod';
import { parseActivation } from '../activations/parse.js';
import { modelNames } from '../models/architectures/names.js';
import { atLeastZero, between, oneOf, positive, text } from '../user-input/schema-fields.js';
import { reportError } from '../user-input/validate.js';
import { defaults } from './defaults.js';

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

const dropRate = atLeastZero()
  .refine((value) => value < 1, { error: 'a number from 0 to below 1', params: { expected: true } })
  .nullable();

/** The section `model`: the network that is trained. */
export const model = z.strictObject({
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
  /** Share of the features before the last layer that an update leaves out; null is the published one. EfficientNet alone. @default null */
  dropout: dropRate.default(defaults.model.dropout),
  /** Probability with which an update leaves out the blocks of the end, those before them less; null is the published one. EfficientNet alone. @default null */
  stochasticDepth: dropRate.default(defaults.model.stochasticDepth),
});

/** Whether an activation has learned coefficients; an unknown one is reported elsewhere. */
export function learns(activation: string): boolean {
  try {
    return parseActivation(activation).learned !== null;
  } catch {
    return false;
  }
}
