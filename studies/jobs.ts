import { createHash } from 'node:crypto';
import { InputError } from '../src/errors.js';
import type { Recipe } from '../src/recipe/recipe.js';
import { type RunRecord, recipeOfRecord, settingsKey } from './record.js';
import { armsOf, baseRecipe, recipeOf, type Setting } from './setting.js';
import type { Study } from './study.js';

/** A training run that a study asks for. */
export interface StudyJob {
  /** Whether it chooses a setting on validation images, or is measured on test images. */
  readonly stage: 'tune' | 'measure';
  /** Of its folder and record: the activation, a digest of the other settings, the seed. */
  readonly name: string;
  /** Names of the arms that it is a run of. */
  readonly arms: readonly string[];
  readonly seed: number;
  readonly recipe: Recipe;
  /** Its record, if it is finished. */
  readonly record: RunRecord | null;
}

/** A run of an arm that is finished. */
export interface StudyRun {
  readonly arm: string;
  readonly seed: number;
  readonly record: RunRecord;
}

type Records = readonly { readonly name: string; readonly record: RunRecord }[];

/**
 * The runs that a study asks for, seed by seed, so that a study that is cut short has whole pairs. Arms of equal settings share
 * their runs.
 *
 * @throws {InputError} if an arm has no valid recipe, or is none of the study's.
 */
export function jobsOf(
  options: Setting & { readonly arms?: readonly string[]; readonly seeds: number },
  stage: StudyJob['stage'],
  records: Records,
): StudyJob[] {
  const { study } = options;
  const base = baseRecipe(options);
  const all = armsOf(study, base);
  const unknown = options.arms?.find((name) => !all.some((arm) => arm.name === name));
  if (unknown !== undefined)
    throw InputError.expected(
      `arms of the study ${study.name} (${all.map(({ name }) => name).join(', ')})`,
      '`arms`',
      unknown,
    );
  const asked = all.filter(({ name }) => options.arms?.includes(name) ?? true);
  const find = finder(base, records);
  const chosen = new Map(chosenValues(study, base, records).map(({ arm, value }) => [arm, value]));
  const { tuning } = study;
  const wanted =
    stage === 'tune'
      ? tuning!.values.flatMap((value) => asked.map((arm) => ({ arm, seed: tuning!.seed, value })))
      : Array.from({ length: options.seeds }, (_, seed) =>
          asked.map((arm) => ({ arm, seed, value: chosen.get(arm.name) })),
        ).flat();
  const jobs = new Map<string, StudyJob>();
  for (const { arm, seed, value } of wanted) {
    const recipe = recipeOf(arm, base, { study, seed, ...(value !== undefined && { value }) });
    const found = find(recipe);
    const name = found?.name ?? nameOf(recipe);
    const arms = [...(jobs.get(name)?.arms ?? []), arm.name];
    jobs.set(name, { stage, name, arms, seed, recipe, record: found?.record ?? null });
  }
  return [...jobs.values()];
}

/** Every run of a study that is measured, by arm and seed, whoever asked for it. */
export function finishedRuns(study: Study, base: Recipe, records: Records): StudyRun[] {
  const chosen = new Map(chosenValues(study, base, records).map(({ arm, value }) => [arm, value]));
  const keyed = records.map(({ name, record }) => {
    const recipe = recipeOfRecord(record, base, `the record ${name}`);
    return { key: settingsKey(recipe), seed: recipe.training.seed, record };
  });
  return armsOf(study, base).flatMap((arm) => {
    const value = chosen.get(arm.name);
    if (study.tuning !== undefined && value === undefined) return [];
    const key = settingsKey(recipeOf(arm, base, { study, seed: 0, ...(value !== undefined && { value }) }));
    return keyed
      .filter((each) => each.key === key && each.record.test !== null)
      .map(({ seed, record }) => ({ arm: arm.name, seed, record }))
      .sort((a, b) => a.seed - b.seed);
  });
}

/** What an arm's setting was chosen from. */
export interface Choice {
  readonly arm: string;
  readonly value: number;
  /** Robust accuracy on validation images by value, in the order of the values. */
  readonly tried: readonly { readonly value: number; readonly robust: number }[];
  /** Of training. */
  readonly seconds: number;
}

/** The values that arms have chosen: the most robust on validation images, of those alike the first. */
export function chosenValues(study: Study, base: Recipe, records: Records): Choice[] {
  const { tuning } = study;
  if (tuning === undefined) return [];
  const find = finder(base, records);
  return armsOf(study, base).flatMap((arm) => {
    const tried = tuning.values.flatMap((value) => {
      const found = find(recipeOf(arm, base, { study, seed: tuning.seed, value }))?.record;
      return found === undefined ? [] : [{ value, robust: found.validation.robust, seconds: found.seconds }];
    });
    if (tried.length < tuning.values.length) return [];
    const best = tried.reduce((best, each) => (each.robust > best.robust ? each : best));
    const seconds = tried.reduce((sum, each) => sum + each.seconds, 0);
    return [
      {
        arm: arm.name,
        value: best.value,
        tried: tried.map(({ value, robust }) => ({ value, robust })),
        seconds,
      },
    ];
  });
}

/** Finds the record of a run with the same settings and seed. */
function finder(base: Recipe, records: Records): (recipe: Recipe) => Records[number] | undefined {
  const keyOf = (recipe: Recipe) => `${settingsKey(recipe)} ${recipe.training.seed}`;
  const found = new Map(
    records.map((each) => [keyOf(recipeOfRecord(each.record, base, `the record ${each.name}`)), each]),
  );
  return (recipe) => found.get(keyOf(recipe));
}

/** `silu-3fa9c2e1-0`: the same settings have the same name. */
function nameOf(recipe: Recipe): string {
  const digest = createHash('sha256').update(settingsKey(recipe)).digest('hex').slice(0, 8);
  return `${recipe.model.activation}-${digest}-${recipe.training.seed}`;
}
