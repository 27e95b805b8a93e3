import { resolve } from 'node:path';
import { boards, isSweepFolder, planSweep, readSweep, type Sweep } from '../app/train/sweep.js';
import type { DeviceName } from '../engine/device-name.js';
import { InputError } from '../errors.js';
import { loadRecipe } from '../recipe/load-recipe.js';
import { parseRecipe, type Recipe } from '../recipe/recipe.js';
import { defaultRunPath, isRunFolder, readStoredRecipe } from '../runs/run-folder.js';

interface RecipeWords {
  readonly out?: string | undefined;
  readonly smoke: boolean;
}

interface ResumeWords {
  /** The values of `--set`. */
  readonly stated?: readonly string[] | undefined;
  readonly resume: boolean;
  readonly resumeOrStart: boolean;
  readonly device?: DeviceName | undefined;
  readonly threads?: number | undefined;
}

/** The recipe that is named, and the folder that it is trained into. */
export function chosenRecipe(
  name: string,
  options: RecipeWords & {
    readonly set: readonly string[];
    readonly onNote: (sentence: string) => void;
  },
): { readonly recipe: Recipe; readonly path: string } {
  const { out, smoke } = options;
  const recipe = loadRecipe(name, options);
  const path = out ?? defaultRunPath(`${recipe.name}${smoke ? '-smoke' : ''}`, recipe.training.seed);
  return { recipe, path };
}

/**
 * Whether to go on with what is in `path`.
 *
 * @throws {InputError} for `--resume` where nothing was begun.
 */
export function requireBegun(
  { resume, resumeOrStart }: { readonly resume: boolean; readonly resumeOrStart: boolean },
  isBegun: boolean,
  path: string,
): boolean {
  if (resume && !isBegun)
    throw InputError.expected(
      'the folder of a run',
      '--resume',
      path,
      'Check --out, or use --resume-or-start to start a run there.',
    );
  return resume || resumeOrStart;
}

/**
 * The sweep that lists of values ask for, or that was begun in a folder; null for a single run.
 *
 * @throws {InputError} for options that would change a sweep that was begun.
 */
export function sweepOf(
  name: string,
  options: RecipeWords &
    ResumeWords & {
      readonly set: readonly string[];
      readonly onNote: (sentence: string) => void;
      readonly init?: string | undefined;
      readonly newHead: boolean;
      readonly entry?: string | undefined;
      readonly tensorboard: boolean;
      readonly trackio: boolean;
    },
): Sweep | null {
  const { device, init: path, newHead, entry } = options;
  if (!isSweepFolder(name)) {
    if (isRunFolder(name)) return null;
    const init =
      path === undefined ? null : { path: resolve(path), newHead, ...(entry !== undefined && { entry }) };
    return planSweep(name, { ...options, init, boards: boards.filter((board) => options[board]) });
  }
  requireResumption(name, options, 'sweep');
  if (path !== undefined)
    throw InputError.expected('no --init', `the sweep ${name}`, path, 'It goes on as it was begun.');
  const sweep = readSweep(name);
  if (device === undefined) return sweep;
  return { ...sweep, runs: sweep.runs.map((run) => ({ ...run, recipe: { ...run.recipe, device } })) };
}

/**
 * The recipe that a run was begun with, so that nothing has to be typed again.
 *
 * @throws {InputError} without `--resume`, and for options that would change the recipe or the folder.
 */
export function recipeOfRun(
  path: string,
  options: RecipeWords & ResumeWords,
): { readonly recipe: Recipe; readonly path: string } {
  requireResumption(path, options, 'run');
  const { device } = options;
  const recipe = parseRecipe(readStoredRecipe(path), `the run ${path}`);
  return { recipe: device === undefined ? recipe : { ...recipe, device }, path };
}

/** @throws {InputError} without `--resume`, and for options that would change the recipe or the folder. */
function requireResumption(path: string, options: RecipeWords & ResumeWords, kind: 'run' | 'sweep'): void {
  const { out, stated, smoke, threads } = options;
  if (!options.resume && !options.resumeOrStart)
    throw InputError.expected(`a recipe, or --resume with the folder of a ${kind},`, 'the recipe', path);
  for (const [flag, value] of [
    ['--set', stated?.join(' ')],
    ['--smoke', smoke ? 'true' : undefined],
    ['--out', out],
    ['--threads', threads],
  ] as const)
    if (value !== undefined)
      throw InputError.expected(
        `no ${flag}`,
        `the ${kind} ${path}`,
        value,
        `It goes on with its own ${kind === 'run' ? 'recipe' : 'recipes'}, in its folder.`,
      );
}
