import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../../errors.js';
import { writeJsonDurably } from '../../files/durable-file.js';
import { makeFolder } from '../../files/make-folder.js';
import { parseJson } from '../../files/parse-json.js';
import { combinations } from '../../recipe/combinations.js';
import { type LoadRecipeOptions, loadRecipe } from '../../recipe/load-recipe.js';
import { parseRecipe, type Recipe } from '../../recipe/recipe.js';
import { isRunFolder, requireUnused } from '../../runs/run-folder.js';
import { firstDifference } from '../../user-input/first-difference.js';
import { validate } from '../../user-input/validate.js';

/** One run of a sweep. */
export interface SweptRun {
  /** Of the folder: `learningRate=0.1`, or `learningRate=0.1,epochs=20`. */
  readonly name: string;
  readonly path: string;
  /** Of the swept settings, in their order. */
  readonly values: readonly string[];
  readonly recipe: Recipe;
}

/** Runs of one recipe that differ in some settings: each value of a list, or each combination of several lists. */
export interface Sweep {
  readonly path: string;
  /** `training.schedule.learningRate` */
  readonly settings: readonly string[];
  readonly runs: readonly SweptRun[];
  /** Where each run starts from; null for a random initialisation. */
  readonly init: SweepStart | null;
  /** Dashboards for which each run also writes its measurements. */
  readonly boards: readonly Board[];
}

export const boards = ['tensorboard', 'trackio'] as const;
export type Board = (typeof boards)[number];

export interface SweepStart {
  /** A run, checkpoint or weights file. */
  readonly path: string;
  readonly newHead: boolean;
  readonly entry?: string | undefined;
}

export interface PlanSweepOptions extends LoadRecipeOptions {
  readonly set: readonly string[];
  /** @default runs/NAME-sweep-SETTINGS-SEED */
  readonly out?: string | undefined;
  readonly init: SweepStart | null;
  readonly boards: readonly Board[];
}

/**
 * The sweep that `set` asks for by lists of values; null if no setting has one. Writes nothing.
 *
 * @throws {InputError} for a combination that is no valid recipe, and for two that are the same one.
 */
export function planSweep(recipeName: string, options: PlanSweepOptions): Sweep | null {
  const { set, smoke = false, out, init, boards } = options;
  const { settings, all } = combinations(set);
  if (settings.length === 0) return null;
  const notes = new Set<string>();
  const recipes = all.map((each) => ({
    values: each.values,
    recipe: loadRecipe(recipeName, { smoke, set: each.set, onNote: (note) => notes.add(note) }),
  }));
  for (const note of notes) options.onNote?.(note);
  const first = recipes[0]!.recipe;
  const seed = settings.includes('training.seed') ? [] : [`${first.training.seed}`];
  const words = [first.name, ...(smoke ? ['smoke'] : []), 'sweep', ...settings.map(shortName), ...seed];
  const path = out ?? join('runs', words.join('-'));
  return { path, settings, runs: named(path, settings, recipes), init, boards };
}

/** Gives each run its folder. @throws {InputError} if two have the same recipe, or the same name. */
function named(
  path: string,
  settings: readonly string[],
  runs: readonly Pick<SweptRun, 'values' | 'recipe'>[],
): SweptRun[] {
  const result: SweptRun[] = [];
  for (const run of runs) {
    const name = settings.map((each, index) => `${shortName(each)}=${asName(run.values[index]!)}`).join(',');
    const same = result.find(
      (other) => other.name === name || firstDifference(other.recipe, run.recipe) === undefined,
    );
    if (same !== undefined)
      throw InputError.expected(
        'each value once',
        `\`set\` of ${settings.join(' and ')}`,
        `${same.values.join(', ')} and ${run.values.join(', ')}`,
      );
    result.push({ ...run, name, path: join(path, name) });
  }
  return result;
}

/** The last word of a setting's path. */
export const shortName = (setting: string): string => setting.split('.').at(-1)!;

/** A value as part of a folder's name: `8-255`. */
function asName(value: string): string {
  const name = value.replaceAll(/[^\w.+-]+/g, '-').replaceAll(/^-+(?=\D)|-+$/g, '');
  return name === '' || /^\.+$/.test(name) ? 'empty' : name.slice(0, 60);
}

const fileOf = (path: string) => join(path, 'sweep.json');

/** Whether a path is the folder of a sweep. */
export const isSweepFolder = (path: string): boolean => existsSync(fileOf(path));

const sweepSchema = z.strictObject({
  settings: z.array(z.string().min(1)).min(1),
  init: z.strictObject({ path: z.string(), newHead: z.boolean(), entry: z.string().optional() }).nullable(),
  boards: z.array(z.enum(boards)),
  runs: z.array(z.strictObject({ values: z.array(z.string()), recipe: z.unknown() })).min(1),
});

/** The sweep of a folder, as it was begun. @throws {InputError} if `sweep.json` is damaged. */
export function readSweep(path: string): Sweep {
  const file = fileOf(path);
  let input: unknown;
  try {
    input = parseJson(readFileSync(file, 'utf8'));
  } catch (error) {
    throw InputError.expected('a readable JSON file', file, error);
  }
  const { runs, ...rest } = validate({ schema: sweepSchema, input, source: file });
  const { settings } = rest;
  if (runs.some(({ values }) => values.length !== settings.length))
    throw InputError.expected('a value of each setting for every run', file, settings);
  const parsed = runs.map(({ values, recipe }) => ({ values, recipe: parseRecipe(recipe, file) }));
  return { ...rest, path, runs: named(path, settings, parsed) };
}

/**
 * A folder that was begun may gain values.
 *
 * @throws {InputError} if the folder has another sweep, or, without `resume`, anything.
 */
export function requirePlace(sweep: Sweep, { resume }: { readonly resume: boolean }): void {
  const { path } = sweep;
  if (!resume) {
    if (isSweepFolder(path))
      throw InputError.expected(
        'a folder without a sweep',
        'the sweep',
        path,
        'Use another folder (`out`), or `resume` to continue that sweep.',
      );
    requireUnused(path);
  } else if (isSweepFolder(path)) requireExtended(readSweep(path), sweep);
}

/** Keeps the sweep in its folder, so that nothing has to be typed again. @throws {InputError} as `requirePlace` */
export function keepSweep(sweep: Sweep, options: { readonly resume: boolean }): void {
  requirePlace(sweep, options);
  const { path, settings, runs, init, boards } = sweep;
  makeFolder(path);
  writeJsonDurably(fileOf(path), {
    settings,
    init,
    boards,
    runs: runs.map(({ values, recipe }) => ({ values, recipe })),
  });
}

/** @throws {InputError} unless `later` has every run of `before`, with the same recipe. */
function requireExtended(before: Sweep, later: Sweep): void {
  const other = (expected: string, received: unknown) =>
    InputError.expected(
      expected,
      `the sweep ${before.path}`,
      received,
      'Resume with the same recipe and lists, to which values may be added, or use another folder (`out`).',
    );
  const lists = { settings: before.settings, init: before.init };
  const difference = firstDifference(lists, { settings: later.settings, init: later.init });
  if (difference !== undefined)
    throw other(`its ${difference.path}, ${JSON.stringify(difference.first)},`, difference.second);
  for (const run of before.runs) {
    const same = later.runs.find(({ name }) => name === run.name);
    if (same === undefined) throw other(`${run.name}, which it was begun with,`, undefined);
    const differs = firstDifference(
      { ...plain(run.recipe), device: null },
      { ...plain(same.recipe), device: null },
    );
    if (differs !== undefined)
      throw other(
        `${differs.path} = ${JSON.stringify(differs.first)}, as ${run.name} was begun with,`,
        differs.second,
      );
  }
}

const plain = (recipe: Recipe): Record<string, unknown> => JSON.parse(JSON.stringify(recipe));

/** Whether any run of a sweep was begun. */
export const isBegun = ({ runs }: Sweep): boolean => runs.some(({ path }) => isRunFolder(path));
