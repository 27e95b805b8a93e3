import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { parse } from 'yaml';
import { InputError } from '../errors.js';
import { readYaml } from '../files/read-yaml.js';
import { packageFolder } from '../provenance/package-folder.js';
import { nearest } from '../user-input/did-you-mean.js';
import { requireArgument, requireList } from '../user-input/require-argument.js';
import { withDataFolder } from './data-folder.js';
import { dropForeignKeys } from './drop-foreign-keys.js';
import { parseRecipe, type Recipe, recipeSchema } from './recipe.js';
import { scaleDurations } from './scale-durations.js';
import { isSection, overlay, type Section, sectionOf } from './section.js';

/** The folder of bundled recipes. */
const recipesFolder = join(packageFolder, 'recipes');

export interface LoadRecipeOptions {
  /** Overrides `path=value`, such as `training.epochs=3`; the value is YAML. Applied in order, after `smoke`. */
  readonly set?: readonly string[];
  /** Apply the recipe's `smoke:` section: the same run, reduced to seconds. @default false */
  readonly smoke?: boolean;
  /** Called with a sentence on each setting that follows another one, or gives way to it. */
  readonly onNote?: (sentence: string) => void;
}

/**
 * Loads a recipe from a YAML or JSON file, or a bundled recipe by name. Where `set` changes a choice, what belonged to
 * another one is dropped, and what is said in epochs follows their number, unless it is set itself. A relative data folder is
 * also looked for beside the file.
 *
 * @throws {InputError} if the file does not exist, or is not YAML or not a valid recipe.
 */
export function loadRecipe(pathOrName: string, options: LoadRecipeOptions = {}): Recipe {
  requireArgument(pathOrName, 'text', 'the recipe');
  requireArgument(options, 'options', 'loadRecipe');
  if (options.set !== undefined) requireList(options.set, 'text', '`set`');
  const { onNote = () => {} } = options;
  const path = findRecipe(pathOrName);
  const { smoke, ...full } = readSections(path);
  const small = options.smoke === true ? smokeOf(full, smoke) : { recipe: full, notes: [] };
  const changes = (options.set ?? []).map(parseAssignment);
  const stated = changes.reduce(overlay, {});
  const before = small.recipe;
  const fitting = dropForeignKeys(recipeSchema, { before, after: changes.reduce(overlay, before), stated });
  const lasting = scaleDurations({ before, after: fitting.recipe, stated });
  const smokeText = options.smoke === true ? ' with its smoke section' : '';
  const setText = options.set === undefined || options.set.length === 0 ? '' : ' with `set`';
  const source = `the recipe ${path}${smokeText}${setText}`;
  const recipe = parseRecipe(withDataFolder(lasting.recipe, path), source);
  for (const note of [...small.notes, ...fitting.notes, ...lasting.notes]) onNote(note);
  return recipe;
}

/** A recipe reduced to seconds: by its own section, or to four steps. */
function smokeOf(
  full: Section,
  own: unknown,
): { readonly recipe: Section; readonly notes: readonly string[] } {
  if (own !== undefined) {
    if (!isSection(own)) throw InputError.expected('a section of keys', 'smoke', own);
    return { recipe: overlay(full, own), notes: [] };
  }
  const after = overlay(full, { training: { epochs: 1, epochSteps: 4 }, validation: { examples: 16 } });
  const { recipe } = scaleDurations({ before: full, after, stated: {} });
  return {
    recipe,
    notes: [
      'The recipe has no section smoke: it is reduced to one epoch of 4 steps, and a validation of 16 images.',
    ],
  };
}

/** The names of the bundled recipes, sorted. */
export function recipeNames(): string[] {
  return readdirSync(recipesFolder)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.slice(0, -'.yaml'.length))
    .sort();
}

/** The bundled recipes with the first sentence of what each says about itself. */
export function describedRecipes(): { readonly name: string; readonly about: string }[] {
  return recipeNames().map((name) => {
    const text = readFileSync(join(recipesFolder, `${name}.yaml`), 'utf8');
    const [paragraph = ''] = text.split(/\n#?\s*\n/);
    const words = paragraph.replaceAll(/\n?#\s?/g, ' ').trim();
    return { name, about: /^.*?[.:](?=\s|$)/.exec(words)?.[0].replace(/[.:]$/, '') ?? words };
  });
}

function findRecipe(pathOrName: string): string {
  if (statSync(pathOrName, { throwIfNoEntry: false })?.isFile()) return pathOrName;
  const names = recipeNames();
  if (names.includes(pathOrName)) return relative('.', join(recipesFolder, `${pathOrName}.yaml`));
  if (existsSync(pathOrName))
    throw InputError.expected('a file', 'the recipe', pathOrName, 'It is a folder.');
  const meant = nearest(pathOrName, names);
  const isPath = /[\\/]|\.(ya?ml|json)$/i.test(pathOrName);
  if (isPath && meant === undefined)
    throw InputError.expected(
      'the path of a YAML file',
      'the recipe',
      pathOrName,
      `There is no file ${resolve(pathOrName)}.`,
    );
  throw InputError.expected(
    'the path of a YAML file or the name of a recipe',
    'the recipe',
    pathOrName,
    meant === undefined
      ? `There is no such file, and the recipes are ${names.join(', ')}.`
      : `Did you mean '${meant}'?`,
  );
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
  return sectionOf(path.split('.'), value) as Section;
}
