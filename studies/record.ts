import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { precisions } from '../src/engine/precision-name.js';
import { writeJsonDurably } from '../src/files/durable-file.js';
import { makeFolder } from '../src/files/make-folder.js';
import { parseJson } from '../src/files/parse-json.js';
import { parseRecipe, type Recipe } from '../src/recipe/recipe.js';
import { validate } from '../src/user-input/validate.js';

const share = z.number().min(0).max(1);

/** What was measured on test images. */
const measurementSchema = z.object({
  examples: z.number().int().positive(),
  /** Of the images: runs that were measured on others are not compared. */
  pixelsDigest: z.string(),
  /** In which the attacks searched; verdicts are in float32. */
  precision: z.enum(precisions),
  clean: share,
  robust: share,
  /** In sequence, each on what is robust so far. */
  attacks: z.array(z.object({ name: z.string(), robustAfter: share })).min(1),
  /** Codes of what the evaluation's checks found. */
  flags: z.array(z.string()),
  seconds: z.number(),
});

/** A trained network of a study, as it is kept: all that its tables are made of, without the weights. */
export const recordSchema = z.object({
  /** Without its name and where the data are. */
  recipe: z.record(z.string(), z.unknown()),
  /** What is to be said of the data: that they are a copy, for example. */
  note: z.string().nullable(),
  commit: z.string().nullable(),
  started: z.string(),
  /** `AMD EPYC, 1 thread`, `cuda:0 (NVIDIA H100 80GB HBM3)` */
  device: z.string(),
  /** `libtorch 1.13.0` */
  engine: z.string(),
  /** Of training. */
  seconds: z.number(),
  /** The best epoch by robust accuracy on validation images, which is the one that is measured. */
  validation: z.object({ epoch: z.number(), clean: share, robust: share }),
  /** Null for a run that only chooses a setting: test images choose nothing. */
  test: measurementSchema.nullable(),
  /** AutoAttack's standard set, where it was asked for. */
  autoattack: measurementSchema.nullable(),
});

export type Measurement = z.output<typeof measurementSchema>;
export type RunRecord = z.output<typeof recordSchema>;

/** Where the records of a study's folder are, one file a run. */
export const recordsFolder = (folder: string) => join(folder, 'records');

/** Every record in a study's folder, with the file's base name. @throws {InputError} naming a file that is none. */
export function readRecords(folder: string): { readonly name: string; readonly record: RunRecord }[] {
  const records = recordsFolder(folder);
  if (!existsSync(records)) return [];
  return readdirSync(records)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => {
      const source = join(records, file);
      const input = parseJson(readFileSync(source, 'utf8'));
      return {
        name: file.slice(0, -'.json'.length),
        record: validate({ schema: recordSchema, input, source }),
      };
    });
}

export function writeRecord(folder: string, name: string, record: RunRecord): void {
  makeFolder(recordsFolder(folder));
  writeJsonDurably(join(recordsFolder(folder), `${name}.json`), record);
}

/** The recipe of a record, with data in the folder of `base`: settings that are younger than the record have their defaults. */
export function recipeOfRecord({ recipe }: RunRecord, base: Recipe, source: string): Recipe {
  const { dir } = base.data as { readonly dir?: unknown };
  const data = { ...(recipe.data as object), ...(dir !== undefined && { dir }) };
  return parseRecipe({ ...recipe, name: base.name, data }, source);
}

/** What of a recipe is kept: not its name, and not where a machine has the data and on what it computes. */
export function keptRecipe(recipe: Recipe): Record<string, unknown> {
  const { name: _, description: __, device: ___, threads: ____, data, ...rest } = recipe;
  const { dir: _____, ...kept } = data as { readonly dir?: unknown };
  return JSON.parse(JSON.stringify({ data: kept, ...rest })) as Record<string, unknown>;
}

/** Equal for runs that compute the same with their seeds: every setting but the seed, the name and the places. */
export function settingsKey(recipe: Recipe): string {
  const { training, ...rest } = recipe;
  return JSON.stringify(sorted(keptRecipe({ ...rest, training: { ...training, seed: 0 } })));
}

/** The value with the keys of all objects in order, so that equal values have equal text. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, sorted(each)]),
  );
}
