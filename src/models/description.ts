import { z } from 'zod';
import { type CentreRule, centreRules } from '../data/imagenet/crop.js';
import type { Padding } from '../nn/same-padding.js';
import { type Filter, filters } from '../tensor/resample.js';
import { between, oneOf, positive, text, whole } from '../user-input/schema-fields.js';
import { type ModelName, modelNames } from './architectures/names.js';

/**
 * Everything that defines a network except its weights. Stored in the metadata of every weights file, so that the file
 * can be evaluated on its own.
 */
export interface ModelDescription {
  readonly architecture: ModelName;
  /** Multiplier for the channels of every layer. */
  readonly width: number;
  /** In the notation of recipes: `softplus(10)`. */
  readonly activation: string;
  /** Class names in label order. */
  readonly classes: readonly string[];
  /** Channels, height and width of the images. */
  readonly shape: readonly [channels: number, height: number, width: number];
  /** Input normalisation per channel, (pixel − mean) / std; null for raw pixels in [0, 1]. */
  readonly normalise: { readonly mean: readonly number[]; readonly std: readonly number[] } | null;
  /** TensorFlow's padding; absent for symmetric padding. */
  readonly padding?: Exclude<Padding, 'symmetric'> | undefined;
  /** ε of batch norm; absent for PyTorch's, 1e-5. */
  readonly normEpsilon?: number | undefined;
  /** How an evaluation on ImageNet brings images to `shape`; absent where the data decides. */
  readonly transform?: EvaluationTransform | undefined;
}

/** The shorter side is resized to `resize` pixels by `filter`, then the centre is cropped by a rule of crop.ts. */
export interface EvaluationTransform {
  readonly resize: number;
  readonly filter: Filter;
  readonly centre: CentreRule;
}

/** Of an image: as float32 they take a gibibyte. */
const mostValues = 2 ** 28;

const perChannel = z.array(between(0, 1)).min(1, { error: 'one number per channel' });

/** Validates a description read from a file. The order of the keys is the order in files. */
export const modelDescriptionSchema: z.ZodType<ModelDescription> = z.strictObject({
  architecture: oneOf(modelNames),
  width: positive(),
  activation: text('the name of an activation'),
  classes: z.array(text('a class name')).min(1, { error: 'at least one class' }),
  shape: z
    .tuple([whole(1), whole(1), whole(1)], { error: 'three whole numbers [channels, height, width]' })
    .refine(([channels, height, width]) => channels * height * width <= mostValues, {
      error: `an image of at most ${mostValues} values`,
      params: { expected: true },
    }),
  normalise: z.strictObject({ mean: perChannel, std: z.array(positive()) }).nullable(),
  padding: z.literal('same', { error: "'same'" }).optional(),
  normEpsilon: positive().optional(),
  transform: z
    .strictObject({ resize: whole(1), filter: oneOf(filters), centre: oneOf(centreRules) })
    .optional(),
});
