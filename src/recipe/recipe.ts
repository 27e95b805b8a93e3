import { z } from 'zod';
import { InputError } from '../errors.js';
import { publishedDropRates } from '../models/architectures/names.js';
import { parseEpsilon } from '../user-input/epsilon.js';
import { oneOf, text, whole } from '../user-input/schema-fields.js';
import { reportError, validate } from '../user-input/validate.js';
import { data } from './data.js';
import { defaults } from './defaults.js';
import { imagenetProblem } from './imagenet-data.js';
import { learns, model } from './model.js';
import { training } from './training.js';

/**
 * What a recipe is: everything that decides what a training run computes. `load-recipe.ts` reads one from a file, and
 * `app/train/build-experiment.ts` builds the parts of the run. The sections are in files of their own. A key that would
 * have no effect is refused, never ignored.
 */

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
