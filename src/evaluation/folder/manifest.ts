import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { describe, InputError } from '../../errors.js';
import { manifestSchema } from '../../provenance/manifest.js';
import { firstDifference } from '../../user-input/first-difference.js';
import { validate } from '../../user-input/validate.js';

/** What is measured, and how: two evaluations that agree in all of it come to the same. */
const settingsSchema = z.strictObject({
  modelDigest: z.string(),
  /** What a TorchScript file was told to take; null where the model brings its own normalisation. */
  input: z
    .strictObject({
      range: z.tuple([z.number(), z.number()]),
      normalise: z.strictObject({ mean: z.array(z.number()), std: z.array(z.number()) }).nullable(),
    })
    .nullable(),
  data: z.string(),
  classes: z.array(z.string()),
  examples: z.int(),
  pixelsDigest: z.string(),
  norm: z.enum(['linf', 'l2']),
  epsilon: z.number(),
  seed: z.int(),
  attacks: z.array(z.string()),
  surrogates: z.array(z.string()),
  alone: z.boolean(),
  checks: z.enum(['quick', 'full']),
});

export type EvaluationSettings = Readonly<z.output<typeof settingsSchema>>;

const schema = manifestSchema.extend({
  evaluation: settingsSchema,
  /** The model as the user named it. */
  model: z.string(),
  /** As the user wrote it. */
  epsilonText: z.string(),
  /** Used again on resume. */
  chosen: z.object({
    batch: z.int().positive(),
    /** Images a second of each size that was tried; null where the size was given. */
    measured: z.record(z.string(), z.number()).nullable(),
    /** Whether the model answers at random, so that 20 passes judge an image. */
    random: z.boolean(),
  }),
});

/** `manifest.json` of an evaluation folder. */
export type EvaluationManifest = z.output<typeof schema>;

/** Whether a path is the folder of an evaluation. */
export function isEvaluationFolder(path: string): boolean {
  return existsSync(manifestFile(path));
}

export function manifestFile(folder: string): string {
  return join(folder, 'manifest.json');
}

/** @throws {InputError} where the folder is none of an evaluation, or its manifest is broken. */
export function readEvaluationManifest(folder: string, name: string): EvaluationManifest {
  const file = manifestFile(folder);
  let input: unknown;
  try {
    input = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw InputError.expected(
      'the folder of an evaluation',
      name,
      folder,
      `Its manifest.json cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
  return validate({ schema, input, source: `the manifest ${file}` });
}

/** @throws {InputError} that names the first setting in which an evaluation differs from the one that it goes on with. */
export function requireSameEvaluation(
  folder: string,
  { before, now }: { readonly before: EvaluationSettings; readonly now: EvaluationSettings },
): void {
  const difference = firstDifference(before, JSON.parse(JSON.stringify(now)));
  if (difference === undefined) return;
  const { path, first, second } = difference;
  throw new InputError(
    'evaluation-differs',
    `Expected the evaluation of ${folder}, but ${path} is ${describe(second)} and was ${describe(first)}. ` +
      'Resume with the settings it started with, or start another one in a new folder.',
  );
}
