import { z } from 'zod';
import { unwrapSchema } from '../user-input/unwrap-schema.js';
import { recipeSchema } from './recipe.js';

/** The paths of all settings of recipes, each once: `name`, `training.attack.steps` and so on. */
export function settingPaths(): string[] {
  return [...new Set(pathsOf(recipeSchema, []))];
}

function pathsOf(schema: unknown, path: readonly string[]): string[] {
  const plain = unwrapSchema(schema);
  if (plain instanceof z.ZodObject)
    return Object.entries(plain.shape).flatMap(([key, inner]) => pathsOf(inner, [...path, key]));
  // A choice of sections has the settings of each; one of values is a setting itself.
  const inside =
    plain instanceof z.ZodUnion ? plain.options.flatMap((option) => sectionsIn(option, path)) : [];
  const isSections = plain instanceof z.ZodDiscriminatedUnion;
  return isSections ? inside : [path.join('.'), ...inside];
}

function sectionsIn(option: unknown, path: readonly string[]): string[] {
  return unwrapSchema(option) instanceof z.ZodObject ? pathsOf(option, path) : [];
}
