import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { precisions } from '../../engine/precision-name.js';
import { describe, InputError, printable } from '../../errors.js';
import { parseJson } from '../../files/parse-json.js';
import { manifestSchema } from '../../provenance/manifest.js';
import { firstDifference } from '../../user-input/first-difference.js';
import { normNames } from '../../user-input/norm-name.js';
import { validate } from '../../user-input/validate.js';

/** What determines the results: two evaluations with equal settings yield equal results. */
const settingsSchema = z.strictObject({
  modelDigest: z.string(),
  /** Preprocessing stated for a TorchScript file; null if the model includes its own normalisation. */
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
  norm: z.enum(normNames),
  epsilon: z.number(),
  seed: z.int(),
  attacks: z.array(z.string()),
  surrogates: z.array(z.string()),
  alone: z.boolean(),
  checks: z.enum(['quick', 'full']),
  /** Of the attacks' search; evaluations from before it could be chosen searched in float32. */
  precision: z.enum(precisions).default('float32'),
});

export type EvaluationSettings = Readonly<z.output<typeof settingsSchema>>;

const outputsSchema = z.strictObject({
  json: z.string().nullable(),
  report: z.string().nullable(),
  curveExamples: z.int().nonnegative().nullable(),
  /** A JUnit file, which needs `requireRobust`. Evaluations from before it was kept have none. */
  junit: z.string().nullable().default(null),
  /** The robust accuracy that is required. */
  requireRobust: z.number().min(0).max(1).nullable().default(null),
  /** The published model that the user said this is. */
  known: z.string().nullable().default(null),
});

/** What is written beside the folder when the evaluation is finished; null for what is not. */
export type EvaluationOutputs = Readonly<z.output<typeof outputsSchema>>;

const schema = manifestSchema.extend({
  evaluation: settingsSchema,
  /** The model as given by the user. */
  model: z.string(),
  /** Of the images and the model; evaluations from before they were kept have none. */
  warnings: z.array(z.string()).default([]),
  /** Made again on a resumption; evaluations from before it was kept have none. */
  outputs: outputsSchema.nullable().default(null),
  /** Of a folder of images the file of each example, in the order of `originals.safetensors`. */
  files: z.array(z.string()).nullable().default(null),
  /** As given by the user. */
  epsilonText: z.string(),
  /** Used again on resume. */
  chosen: z.object({
    batch: z.int().positive(),
    /** Throughput in images per second by batch size; null if the size was given. */
    measured: z.record(z.string(), z.number()).nullable(),
    /** Whether the model is randomized, so that a verdict takes 20 passes. */
    random: z.boolean(),
  }),
});

/** `manifest.json` of an evaluation folder. */
export type EvaluationManifest = z.output<typeof schema>;

/** Whether a path is an evaluation folder. */
export function isEvaluationFolder(path: string): boolean {
  return existsSync(manifestFile(path));
}

export function manifestFile(folder: string): string {
  return join(folder, 'manifest.json');
}

/** @throws {InputError} if the folder is not an evaluation folder, or its manifest is damaged. */
export function readEvaluationManifest(folder: string, name: string): EvaluationManifest {
  const file = manifestFile(folder);
  let input: unknown;
  try {
    input = parseJson(readFileSync(file, 'utf8'));
  } catch (error) {
    throw InputError.expected(
      'an evaluation folder',
      name,
      folder,
      `Its manifest.json cannot be read: ${printable(error instanceof Error ? error.message : String(error))}.`,
    );
  }
  if (typeof input === 'object' && input !== null && !('evaluation' in input))
    throw InputError.expected(
      'an evaluation folder',
      name,
      folder,
      'Its manifest.json is of something else.',
    );
  return validate({ schema, input, source: `the manifest ${file}` });
}

/** @throws {InputError} naming the first setting that differs from those of the stored evaluation. */
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
      'Resume with the original settings, or start a new evaluation in another folder.',
  );
}
