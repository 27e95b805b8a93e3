/**
 * Writes recipes/recipe.schema.json: the JSON Schema of a recipe file, for editors, made from the schema that checks
 * recipes. `node scripts/recipe-schema.mjs` after the TypeScript is compiled; a test compares.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The JSON Schema, of the draft that editors know best. What one key says of another one is left to Satin's own check. */
export async function recipeJsonSchema() {
  const { recipeSchema } = await import('../dist/src/recipe/recipe.js');
  const recipe = z.toJSONSchema(recipeSchema, {
    io: 'input',
    target: 'draft-7',
    override: ({ jsonSchema: { properties = {} } }) => {
      for (const [key, { stored }] of Object.entries(properties)) if (stored === true) delete properties[key];
    },
  });
  const { $schema, type, properties, ...rest } = recipe;
  const smoke = {
    ...partOf(recipe),
    description: 'What `--smoke` changes, so that a test takes seconds; the keys are those of the recipe.',
  };
  return {
    $schema,
    $comment: 'Made by scripts/recipe-schema.mjs; do not edit.',
    title: 'A recipe of Satin',
    type,
    properties: { ...properties, smoke },
    ...rest,
  };
}

/** The schema of a part of what `schema` describes: nothing is required, and a choice may be missing. */
function partOf(schema) {
  const { $schema, required, default: standard, ...kept } = schema;
  if (kept.oneOf !== undefined) return merged(kept.oneOf.map(partOf));
  if (kept.anyOf !== undefined) return { ...kept, anyOf: kept.anyOf.map(partOf) };
  if (kept.properties === undefined) return kept;
  return { ...kept, properties: mapValues(kept.properties, partOf) };
}

/** One schema for what any of several takes; sections become one with the keys of all. */
function merged(schemas) {
  const distinct = [...new Map(schemas.map((schema) => [JSON.stringify(schema), schema])).values()];
  const [first] = distinct;
  if (distinct.length === 1) return first;
  if (distinct.every(({ properties }) => properties !== undefined)) {
    const keys = new Set(distinct.flatMap(({ properties }) => Object.keys(properties)));
    const properties = Object.fromEntries(
      [...keys].map((key) => [key, merged(distinct.flatMap((each) => each.properties[key] ?? []))]),
    );
    return { ...first, properties };
  }
  const names = distinct.map((each) => (each.const === undefined ? each.enum : [each.const]));
  if (names.every((each) => each !== undefined)) {
    const { const: one, ...rest } = first;
    return { ...rest, enum: names.flat() };
  }
  return { anyOf: distinct };
}

function mapValues(record, change) {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const path = join(root, 'recipes', 'recipe.schema.json');
  const biome = join(root, 'node_modules', '.bin', 'biome');
  const text = execFileSync(biome, ['format', `--stdin-file-path=${path}`], {
    cwd: root,
    input: JSON.stringify(await recipeJsonSchema()),
  });
  writeFileSync(path, text);
}
