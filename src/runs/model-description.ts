import { z } from 'zod';
import { between, positive, text, whole } from '../fields.js';

const perChannel = z.array(between(0, 1)).min(1, { error: 'one number a channel' });

/**
 * What must be known beside the weights to use a model; every weights file carries it in its metadata, so
 * that a lone file can be evaluated.
 */
export const modelDescriptionSchema = z.strictObject({
  /** A name of the model registry. */
  architecture: text('the name of a model'),
  width: positive(),
  /** As recipes write it: `softplus(10)`. */
  activation: text('the name of an activation'),
  /** In label order. */
  classes: z.array(text('a class name')).min(1, { error: 'at least one class' }),
  /** Channels, height, width of an image. */
  shape: z.tuple([whole(1), whole(1), whole(1)], { error: 'three whole numbers [channels, height, width]' }),
  /** Of the first layer, one number a channel; null where pixels go in as they are. */
  normalise: z.strictObject({ mean: perChannel, std: z.array(positive()) }).nullable(),
});

export type ModelDescription = z.output<typeof modelDescriptionSchema>;
