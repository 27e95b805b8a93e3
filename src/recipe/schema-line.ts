import { dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageFolder } from '../provenance/package-folder.js';

/** The JSON Schema of a recipe file; scripts/recipe-schema.mjs makes it. */
const schemaFile = join(packageFolder, 'recipes', 'recipe.schema.json');

/**
 * The comment that tells an editor where the JSON Schema of the recipe at `path` is. The place is relative to the recipe, so
 * that a project which has Satin in node_modules can be moved and shared; an address where a space would end it.
 */
export function schemaLine(path: string, schema = schemaFile): string {
  const place = relative(dirname(resolve(path)), schema);
  return `# yaml-language-server: $schema=${/[\s#]/.test(place) ? pathToFileURL(schema).href : place}`;
}
