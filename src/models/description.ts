import { z } from 'zod';
import { between, oneOf, positive, text, whole } from '../user-input/schema-fields.js';
import { type ModelName, modelNames } from './architectures/names.js';

/**
 * Everything that a network is, apart from its weights. Every weights file carries it in its metadata, so that a lone
 * file can be evaluated.
 */
export interface ModelDescription {
  readonly architecture: ModelName;
  /** Multiplies the number of channels of every layer. */
  readonly width: number;
  /** As recipes write it: `softplus(10)`. */
  readonly activation: string;
  /** In label order. */
  readonly classes: readonly string[];
  /** Channels, height, width of the images. */
  readonly shape: readonly [channels: number, height: number, width: number];
  /** The first layer, channel by channel: (pixel − mean) / std; null where pixels go in as they are. */
  readonly normalise: { readonly mean: readonly number[]; readonly std: readonly number[] } | null;
}

const perChannel = z.array(between(0, 1)).min(1, { error: 'one number a channel' });

/** Checks a description that comes from a file. The order of its keys is the order in which files keep them. */
export const modelDescriptionSchema: z.ZodType<ModelDescription> = z.strictObject({
  architecture: oneOf(modelNames),
  width: positive(),
  activation: text('the name of an activation'),
  classes: z.array(text('a class name')).min(1, { error: 'at least one class' }),
  shape: z.tuple([whole(1), whole(1), whole(1)], { error: 'three whole numbers [channels, height, width]' }),
  normalise: z.strictObject({ mean: perChannel, std: z.array(positive()) }).nullable(),
});
