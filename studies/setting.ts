import { loadRecipe } from '../src/recipe/load-recipe.js';
import { parseRecipe, type Recipe } from '../src/recipe/recipe.js';
import type { Arm, Study } from './study.js';

/** A study at one scale. */
export interface Setting {
  readonly study: Study;
  /** The recipe that the arms change: a name or a file. */
  readonly recipe: string;
  /** Uses the recipe's smoke section. */
  readonly smoke: boolean;
  /** Folder of the data set. @default the recipe's */
  readonly dataDir?: string;
}

/** The recipe that the arms change. @throws {InputError} if there is none, or it is not valid. */
export function baseRecipe({ recipe, smoke, dataDir }: Omit<Setting, 'study'>): Recipe {
  const set = dataDir === undefined ? [] : [`data.dir=${JSON.stringify(dataDir)}`];
  return loadRecipe(recipe, { smoke, set });
}

/** The arms that the recipe allows. */
export const armsOf = (study: Study, base: Recipe): Arm[] =>
  study.arms.filter(({ applies }) => applies?.(base) ?? true);

/** The recipe of an arm with a seed, and with a value of the setting that is chosen. @throws {InputError} if it is not valid. */
export function recipeOf(
  arm: Arm,
  base: Recipe,
  { study, seed, value }: { readonly study: Study; readonly seed: number; readonly value?: number },
): Recipe {
  const changed = arm.change(base) as Recipe;
  const set = (value === undefined ? changed : study.tuning?.change(value)(changed)) as Recipe;
  const named = { ...set, name: 'study', training: { ...set.training, seed } };
  return parseRecipe(named, `the arm ${arm.name} of the study ${study.name}`);
}
