import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { precisions } from '../../engine/precision-name.js';
import { InputError, printable } from '../../errors.js';
import { parseJson } from '../../files/parse-json.js';
import { searchPaths } from '../../nn/search-path.js';
import { normNames } from '../../user-input/norm-name.js';
import { validate } from '../../user-input/validate.js';
import type { EvaluationResult } from '../result.js';
import type { Evaluation } from '../summary.js';
import { readFound, resultFile } from './evaluation-folder.js';
import { readOriginals } from './images.js';
import type { EvaluationManifest } from './manifest.js';
import { placesOfIds } from './place-of-id.js';

/** A finished evaluation, as read from its folder. */
export interface FinishedEvaluation {
  readonly result: EvaluationResult;
  readonly evaluation: Pick<Evaluation, 'adversarial'>;
}

/**
 * Reads the result of a finished evaluation and the first adversarial image of each broken example, by index.
 *
 * @throws {InputError} if a file is damaged, or the result is not that of the manifest.
 */
export function readFinishedEvaluation(path: string, manifest: EvaluationManifest): FinishedEvaluation {
  const result = readResult(path, manifest);
  const data = readOriginals(path, manifest.evaluation);
  const isOf =
    result.perExample.length === data.ids.length &&
    result.perExample.every(({ id }, index) => id === data.ids[index]);
  if (!isOf) throw otherResult(path);
  const placeOf = placesOfIds(data.ids);
  const { lines, imageOf } = readFound(path, data, manifest);
  const adversarial = new Map<number, Float32Array>();
  for (const line of lines) {
    if (line.type !== 'broken') continue;
    const index = placeOf(line.id);
    if (index !== undefined && result.perExample[index]!.brokenBy === line.attack)
      adversarial.set(index, imageOf(line.image));
  }
  return { result, evaluation: { adversarial } };
}

/**
 * Reads the result of a finished evaluation alone, without its images.
 *
 * @throws {InputError} if it is damaged, or of another evaluation than the manifest.
 */
export function readResult(path: string, { evaluation }: EvaluationManifest): EvaluationResult {
  const file = join(path, resultFile);
  const result = validate({ schema, input: parse(file), source: `the result ${file}` });
  const isOf =
    result.modelDigest === evaluation.modelDigest && result.pixelsDigest === evaluation.pixelsDigest;
  if (!isOf) throw otherResult(path);
  return result;
}

function otherResult(path: string): InputError {
  const source = `the result ${join(path, resultFile)}`;
  return new InputError('broken-file', `Expected ${source} to be that of its manifest.json but it is not.`);
}

function parse(file: string): unknown {
  try {
    return parseJson(readFileSync(file, 'utf8'));
  } catch (error) {
    const reason = printable(error instanceof Error ? error.message : String(error));
    throw new InputError('broken-file', `Expected the result ${file} to be JSON but it is not: ${reason}.`);
  }
}

const share = z.number().min(0).max(1);
const count = z.int().nonnegative();
const cost = { forwards: z.number(), backwards: z.number(), seconds: z.number() };

const schema: z.ZodType<EvaluationResult> = z.object({
  satin: z.string(),
  model: z.string(),
  modelDigest: z.string(),
  /** Evaluations from before they were recorded have none. */
  weights: z
    .object({
      kept: z.string(),
      epoch: count,
      step: count,
      run: z.object({ epochs: count, planned: count }).nullable(),
    })
    .nullable()
    .default(null),
  data: z.string(),
  pixelsDigest: z.string(),
  examples: count,
  norm: z.enum(normNames),
  epsilon: z.number(),
  epsilonText: z.string(),
  seed: z.int(),
  mode: z.enum(['standard', 'plus', 'rand', 'custom']),
  clean: share,
  robust: share,
  interval: z.tuple([share, share]),
  perClass: z.array(
    z.object({ label: count, class: z.string(), examples: count, clean: share, robust: share }),
  ),
  attacks: z.array(
    z.object({
      name: z.string(),
      loss: z.string(),
      steps: count,
      stepSize: z.number().nullable(),
      restarts: count,
      eot: count.exactOptional(),
      cycles: z.literal(true).exactOptional(),
      targetsBy: z.literal('slope').exactOptional(),
      surrogate: z.string().exactOptional(),
      targets: count,
      attacked: count,
      broken: count,
      robustAfter: share,
      ...cost,
      alone: z.object({ attacked: count, broken: count, ...cost }).exactOptional(),
    }),
  ),
  flags: z.array(z.object({ code: z.string(), message: z.string() })),
  /** Evaluations from before they were kept have none. */
  warnings: z.array(z.string()).default([]),
  perExample: z.array(
    z.object({
      id: count,
      file: z.string().exactOptional(),
      label: count,
      predicted: z.string().exactOptional(),
      attacked: z.string().exactOptional(),
      clean: z.boolean(),
      brokenBy: z.string().nullable(),
      blind: z.literal(true).exactOptional(),
    }),
  ),
  batch: z.object({ size: count, measured: z.record(z.string(), z.number()).nullable() }),
  engine: z.object({
    libtorch: z.string(),
    capability: z.string(),
    threads: count,
    /** Evaluations from before other devices ran on the CPU. */
    device: z.string().default('cpu'),
    card: z.string().nullable().default(null),
    node: z.string(),
    commit: z.string().nullable(),
  }),
  precision: z
    .object({ search: z.enum(precisions), verdict: z.literal('float32') })
    .default({ search: 'float32', verdict: 'float32' }),
  /** Evaluations from before there were execution plans ran on operators. */
  search: z.enum(searchPaths).default('operators'),
  command: z.string(),
  seconds: z.number(),
});
