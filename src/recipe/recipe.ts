import { z } from 'zod';
import { parseActivation } from '../activations/parse.js';
import { InputError } from '../errors.js';
import { modelNames, publishedDropRates } from '../models/architectures/names.js';
import { parseEpsilon } from '../user-input/epsilon.js';
import { atLeastZero, between, oneOf, positive, text, whole, yesOrNo } from '../user-input/schema-fields.js';
import { reportError, validate } from '../user-input/validate.js';
import { defaults } from './defaults.js';
import { imagenetFields, imagenetProblem } from './imagenet-data.js';
import { training } from './training.js';

/**
 * What a recipe is: everything that decides what a training run computes. `load-recipe.ts` reads one from a
 * file; `experiment.ts` makes the parts of it; the training section is in `recipe/`. A key that would have no effect is refused, never ignored.
 */

const augment = z
  .strictObject({
    /** Mirror each training image left to right with probability one half. @default false */
    flip: yesOrNo().default(defaults.data.augment.flip),
    /** Pad by this many black pixels on each side, then crop at random; 0 is off. @default 0 */
    crop: whole(0).default(defaults.data.augment.crop),
  })
  .prefault({});

/** Examples (1 or more) or share (below 1) of the training set kept for validation; 0 is none. */
const validationAmount = () =>
  atLeastZero().refine((value) => value < 1 || Number.isInteger(value), {
    error: 'a whole number of examples, or a share below 1,',
    params: { expected: true },
  });

const commonFields = {
  /** Draws the validation split; apart from the seed of the run, so that paired runs share it. @default 0 */
  validationSeed: whole(0).default(defaults.data.validationSeed),
  /** Train on this many examples only; null is all that are not kept for validation. @default null */
  examples: whole(1).nullable().default(defaults.data.examples),
};

const dataFields = {
  ...commonFields,
  /** @default 0.1 */
  validation: validationAmount().default(defaults.data.validation),
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
    z.strictObject({
      ...imagenetFields,
      ...commonFields,
      /** @default 10000 */
      validation: validationAmount().default(defaults.imagenet.validation),
    }),
  ],
  { error: "'fashion-mnist', 'mnist', 'cifar10', 'cifar100', 'folder' or 'imagenet'" },
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

const dropRate = atLeastZero()
  .refine((value) => value < 1, { error: 'a number from 0 to below 1', params: { expected: true } })
  .nullable();

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
  /** Share of the features before the last layer that an update leaves out; null is the published one. EfficientNet alone. @default null */
  dropout: dropRate.default(defaults.model.dropout),
  /** Probability with which an update leaves out the blocks of the end, those before them less; null is the published one. EfficientNet alone. @default null */
  stochasticDepth: dropRate.default(defaults.model.stochasticDepth),
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
  .superRefine(({ data, model, training, threat }, context) => {
    const report = (path: readonly string[], message: string) =>
      context.addIssue({ code: 'custom', path: [...path], message });
    for (const key of ['dropout', 'stochasticDepth'] as const)
      if (model[key] !== null && publishedDropRates(model.name) === null)
        report(['model', key], `${model.name} has no place for it. Leave it out, or set it to null.`);
    if (training.objective === 'free' && threat.norm !== 'linf')
      report(['training', 'objective'], 'free is defined for linf alone.');
    if ('gradAlign' in training && training.gradAlign !== null && threat.norm !== 'linf')
      report(['training', 'gradAlign'], 'it is defined for linf alone.');
    if ('derivatives' in training && training.derivatives.update !== null && learns(model.activation))
      report(
        ['training', 'derivatives', 'update'],
        `the coefficient that ${model.activation} learns would have no gradient.`,
      );
    const problem = data.name === 'imagenet' ? imagenetProblem(data) : null;
    if (problem !== null) report(['data', 'resize'], problem);
    if (data.examples !== null && data.examples < training.batch)
      report(
        ['training', 'batch'],
        `a batch of ${training.batch} cannot be filled from the ${data.examples} of data.examples.`,
      );
  });

/** Whether an activation has learned coefficients; an unknown one is reported elsewhere. */
function learns(activation: string): boolean {
  try {
    return parseActivation(activation).learned !== null;
  } catch {
    return false;
  }
}

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
