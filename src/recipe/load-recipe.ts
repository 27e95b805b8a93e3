import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parse } from 'yaml';
import { InputError } from '../errors.js';
import { readYaml } from '../files/read-yaml.js';
import { packageFolder } from '../provenance/package-folder.js';
import { nearest } from '../user-input/did-you-mean.js';
import { parseRecipe, type Recipe } from './recipe.js';

/** The folder of bundled recipes. */
const recipesFolder = join(packageFolder, 'recipes');

export interface LoadRecipeOptions {
  /** Overrides `path=value`, such as `training.epochs=3`; the value is YAML. Applied in order, after `smoke`. */
  readonly set?: readonly string[];
  /** Apply the recipe's `smoke:` section: the same run, reduced to seconds. @default false */
  readonly smoke?: boolean;
}

/**
 * Loads a recipe from a YAML or JSON file, or a bundled recipe by name.
 *
 * @throws {InputError} if the file does not exist, or is not YAML or not a valid recipe.
 */
export function loadRecipe(pathOrName: string, options: LoadRecipeOptions = {}): Recipe {
  const path = findRecipe(pathOrName);
  const { smoke, ...full } = readSections(path);
  let recipe: Section = full;
  if (options.smoke === true) {
    if (!isSection(smoke))
      throw new InputError('invalid-input', `Expected a section 'smoke' in ${path} but there is none.`);
    recipe = overlay(recipe, smoke);
  }
  for (const assignment of options.set ?? []) recipe = overlay(recipe, parseAssignment(assignment));
  const smokeText = options.smoke === true ? ' with its smoke section' : '';
  const setText = options.set === undefined || options.set.length === 0 ? '' : ' with `set`';
  return parseRecipe(recipe, `the recipe ${path}${smokeText}${setText}`);
}

/** The names of the bundled recipes, sorted. */
export function recipeNames(): string[] {
  return readdirSync(recipesFolder)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.slice(0, -'.yaml'.length))
    .sort();
}

function findRecipe(pathOrName: string): string {
  if (statSync(pathOrName, { throwIfNoEntry: false })?.isFile()) return pathOrName;
  const names = recipeNames();
  if (names.includes(pathOrName)) return relative('.', join(recipesFolder, `${pathOrName}.yaml`));
  if (existsSync(pathOrName))
    throw InputError.expected('a file', 'the recipe', pathOrName, 'It is a folder.');
  const meant = nearest(pathOrName, names);
  throw InputError.expected(
    'the path of a YAML file or the name of a recipe',
    'the recipe',
    pathOrName,
    meant === undefined ? `The recipes are ${names.join(', ')}.` : `Did you mean '${meant}'?`,
  );
}

interface Section {
  readonly [key: string]: unknown;
}

function readSections(path: string): Section {
  const document = readYaml(path);
  let sections: unknown;
  try {
    sections = document.toJS();
  } catch (error) {
    throw InputError.expected('YAML', path, error, 'Replace aliases by their values.');
  }
  if (isSection(sections)) return sections;
  throw InputError.expected('a recipe (keys with values)', path, sections);
}

/** Parses `a.b=1` to the section `{ a: { b: 1 } }`. */
function parseAssignment(assignment: string): Section {
  const [, path, text] = /^([^=]+)=(.*)$/s.exec(assignment) ?? [];
  if (path === undefined || text === undefined)
    throw InputError.expected('path=value, such as training.epochs=3,', '`set`', assignment);
  let value: unknown;
  try {
    value = parse(text, { logLevel: 'error' });
  } catch {
    throw InputError.expected(`a YAML value for ${path}`, '`set`', text);
  }
  const [last = path, ...outer] = path.split('.').reverse();
  return outer.reduce<Section>((inner, key) => ({ [key]: inner }), { [last]: value });
}

/** `base` with the values of `changes`; sections are merged recursively, other values replaced. */
function overlay(base: Section, changes: Section): Section {
  const merged = new Map(Object.entries(base));
  for (const [key, change] of Object.entries(changes)) {
    const old = merged.get(key);
    merged.set(key, isSection(old) && isSection(change) ? overlay(old, change) : change);
  }
  return Object.fromEntries(merged);
}

function isSection(value: unknown): value is Section {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
