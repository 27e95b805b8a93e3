import { z } from 'zod';
import { deviceNamePattern, isDeviceName } from '../engine/device-name.js';
import { InputError } from '../errors.js';
import { publishedDropRates, supportsSamePadding } from '../models/architectures/names.js';
import { parseEpsilon } from '../user-input/epsilon.js';
import { normNames } from '../user-input/norm-name.js';
import { requireArgument } from '../user-input/require-argument.js';
import { numberOrFraction, oneOf, text, whole } from '../user-input/schema-fields.js';
import { reportError, validate } from '../user-input/validate.js';
import { data } from './data.js';
import { defaults } from './defaults.js';
import { imagenetProblem } from './imagenet-data.js';
import { hasLearnedCoefficients, model } from './model.js';
import { withFormerMeaning } from './stored-recipe.js';
import { training } from './training.js';

/**
 * The schema of a recipe: everything that determines the result of a training run. `load-recipe.ts` reads one from a
 * file, and `app/train/build-experiment.ts` builds the parts of the run. The sections are in separate files. A key
 * without effect is an error, never ignored.
 */

const threat = z
  .strictObject({
    norm: oneOf(normNames).describe('The norm in which images may change.'),
    epsilon: numberOrFraction({
      error: 'a number or fraction, such as 8/255,',
      range: { minimum: 0 },
    }).describe('The radius for pixels in [0, 1], as a number or fraction: 8/255.'),
    epsilonText: text('a text')
      .optional()
      .meta({ stored: true })
      .describe('The original notation of the radius, beside the number; in stored recipes only.'),
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
    attack: z
      .string({ error: "'fgsm' or 'pgd-STEPS'" })
      .regex(/^(fgsm|pgd-[1-9]\d*)$/, { error: "'fgsm' or 'pgd-STEPS', such as 'pgd-10'," })
      .default(defaults.validation.attack)
      .describe('Attack for the robust validation accuracy after each epoch: `fgsm` or `pgd-STEPS`.'),
    examples: whole(1)
      .default(defaults.validation.examples)
      .describe('Number of validation examples to attack, or all if there are fewer.'),
    batch: whole(1).default(defaults.validation.batch).describe('Batch size; affects the speed only.'),
  })
  .prefault({});

export const recipeSchema = z
  .strictObject({
    name: z
      .string({ error: 'a name' })
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, { error: 'letters, digits, dots, dashes and underscores' })
      .describe('Name of the run folder: letters, digits, dots, dashes and underscores.'),
    description: text('a text').optional().describe('A text for people; it has no effect.'),
    data: data.describe('The training data (docs/data.md).'),
    model: model.describe('The network (docs/networks.md).'),
    threat: threat.describe('Which images count as adversarial (docs/threat-model.md).'),
    training: training.describe('How the network is trained (docs/training.md).'),
    validation: validation.describe('What is measured after each epoch (docs/training.md#monitoring).'),
    device: z
      .string({ error: "'auto', 'cpu', 'cuda' or 'cuda:N'" })
      .refine((name) => name === 'auto' || isDeviceName(name), {
        error: "'auto', 'cpu', 'cuda' or 'cuda:N'",
        params: { expected: true },
      })
      .meta({ anyOf: [{ enum: ['auto', 'cpu', 'cuda'] }, { pattern: deviceNamePattern.source }] })
      .default(defaults.device)
      .describe(
        'Where to train; `auto` is a graphics card if there is one. `cuda:N` is for one process: ranks take one card each.',
      ),
    threads: whole(1)
      .nullable()
      .default(defaults.threads)
      .describe('Threads of the engine; null for one per processor.'),
  })
  .superRefine(({ data, model, training, threat }, context) => {
    const report = (path: readonly string[], message: string) =>
      context.addIssue({ code: 'custom', path: [...path], message });
    for (const key of ['dropout', 'stochasticDepth'] as const)
      if (model[key] !== null && publishedDropRates(model.name) === null)
        report(['model', key], `${model.name} does not support it. Omit it, or set it to null.`);
    if (model.padding === 'same' && !supportsSamePadding(model.name))
      report(['model', 'padding'], `${model.name} supports symmetric padding only.`);
    if (training.objective === 'free' && threat.norm !== 'linf')
      report(['training', 'objective'], 'free supports linf only.');
    if ('gradAlign' in training && training.gradAlign !== null && threat.norm !== 'linf')
      report(['training', 'gradAlign'], 'it supports linf only.');
    if (
      'derivatives' in training &&
      training.derivatives.update !== null &&
      hasLearnedCoefficients(model.activation)
    )
      report(
        ['training', 'derivatives', 'update'],
        `the learned coefficient of ${model.activation} would have no gradient.`,
      );
    if (training.patience !== null && data.validation === 0)
      report(
        ['training', 'patience'],
        'without validation images no epoch is better than another. Set data.validation, or leave it out.',
      );
    const problem = data.name === 'imagenet' ? imagenetProblem(data) : null;
    if (problem !== null) report(['data', problem[0]], problem[1]);
    if (data.examples !== null && data.examples < training.batch)
      report(
        ['training', 'batch'],
        `a batch of ${training.batch} is larger than data.examples, ${data.examples}.`,
      );
  });

type DeepReadonly<T> = T extends object ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> } : T;

/** A recipe with every default filled in. */
export type Recipe = DeepReadonly<z.output<typeof recipeSchema>>;

/**
 * Validates parsed YAML or JSON as a recipe and fills in the defaults. A stored, complete recipe is returned unchanged;
 * one that an older version stored, with what it meant then.
 *
 * @throws {InputError} naming every problem.
 */
export function parseRecipe(input: unknown, source: string): Recipe {
  requireArgument(source, 'text', 'the source of parseRecipe');
  return validate({ schema: recipeSchema, input: withFormerMeaning(input), source });
}
