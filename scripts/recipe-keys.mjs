/**
 * Writes docs/recipe-keys.md: every key of a recipe with its values, its default and its meaning, made from the schema.
 * `node scripts/recipe-keys.mjs` after the TypeScript is compiled; a test compares.
 */
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const isWrapper = (schema) =>
  schema instanceof z.ZodDefault ||
  schema instanceof z.ZodPrefault ||
  schema instanceof z.ZodNullable ||
  schema instanceof z.ZodOptional;

function unwrapped(schema) {
  if (schema instanceof z.ZodPipe) return unwrapped(schema.in);
  return isWrapper(schema) ? unwrapped(schema.unwrap()) : schema;
}

/** What a schema, or else the one inside it, says of itself; pages are linked. */
function meaningOf(schema) {
  const inner = schema instanceof z.ZodPipe ? schema.in : isWrapper(schema) ? schema.unwrap() : undefined;
  if (schema.description === undefined) return inner === undefined ? '' : meaningOf(inner);
  return schema.description.replaceAll(/docs\/([\w-]+\.md)(#[\w-]+)?/g, '[$1]($1$2)');
}

const isStoredOnly = (schema) => schema.meta()?.stored === true;

/** In words as the messages have them. */
function valuesOf(schema) {
  const plain = unwrapped(schema);
  if (plain instanceof z.ZodLiteral) return [...plain.values].map((value) => `\`${value}\``);
  if (plain instanceof z.ZodEnum) return plain.options.map((value) => `\`${value}\``);
  if (plain instanceof z.ZodBoolean) return ['`true`', '`false`'];
  const words = plain.safeParse(Symbol('none')).error?.issues[0]?.message ?? 'a value';
  return [words.replace(/,$/, '')];
}

function defaultOf(schema) {
  if (schema instanceof z.ZodDefault) return `\`${JSON.stringify(schema.def.defaultValue)}\``;
  if (schema instanceof z.ZodOptional) return 'none';
  if (schema instanceof z.ZodPrefault) return undefined;
  return 'required';
}

const isNullable = (schema) =>
  schema instanceof z.ZodNullable ||
  ((schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) && isNullable(schema.unwrap()));

/** Keys in the order of the schema; one that means the same in several choices is one row. */
function rowsOf(schema, path, when, rows) {
  if (isStoredOnly(schema)) return;
  const plain = unwrapped(schema);
  if (plain instanceof z.ZodObject) {
    if (path.length > 0 && isNullable(schema)) addRow(path, schema, when, rows, 'a section of keys');
    for (const [key, inner] of Object.entries(plain.shape)) rowsOf(inner, [...path, key], when, rows);
    return;
  }
  if (plain instanceof z.ZodDiscriminatedUnion) {
    const tag = plain.def.discriminator;
    for (const option of plain.options)
      rowsOf(option, path, { tag: [...path, tag].join('.'), values: valuesOf(option.shape[tag]) }, rows);
    return;
  }
  addRow(path, schema, when, rows);
  if (plain instanceof z.ZodUnion)
    for (const option of plain.options)
      if (unwrapped(option) instanceof z.ZodObject) rowsOf(option, path, when, rows);
}

function addRow(path, schema, when, rows, words) {
  const key = path.join('.');
  const meaning = meaningOf(schema);
  const id = `${key}: ${meaning}`;
  const row = rows.get(id) ?? {
    path,
    key,
    meaning,
    values: new Set(),
    defaults: new Set(),
    when: new Set(),
    tag: when?.tag,
  };
  for (const value of words === undefined ? valuesOf(schema) : [words]) row.values.add(value);
  if (isNullable(schema)) row.values.add('`null`');
  const standard = defaultOf(schema);
  if (standard !== undefined) row.defaults.add(standard);
  for (const value of when?.values ?? []) row.when.add(value);
  rows.set(id, row);
}

/** The page as text. */
export async function recipeKeys() {
  const { recipeSchema } = await import('../dist/src/recipe/recipe.js');
  const rows = new Map();
  rowsOf(recipeSchema, [], undefined, rows);
  const choices = new Map();
  for (const { tag, when } of rows.values())
    if (tag !== undefined) choices.set(tag, new Set([...(choices.get(tag) ?? []), ...when]));
  const sections = new Map();
  for (const { path, key, meaning, values, defaults, when, tag } of rows.values()) {
    const isEverywhere = tag === undefined || key === tag || when.size === choices.get(tag).size;
    const only = isEverywhere ? '' : `With ${tag} ${[...when].join(', ')}. `;
    const line = `| \`${key}\` | ${[...values].join(', ')} | ${[...defaults].join(', ')} | ${only}${meaning} |`;
    const section = path.length === 1 ? 'The recipe' : path[0];
    sections.set(section, [...(sections.get(section) ?? []), line]);
  }
  const tables = [...sections].map(
    ([section, lines]) =>
      `## ${section === 'The recipe' ? section : `\`${section}\``}\n\n| key | values | default | meaning |\n| --- | --- | --- | --- |\n${lines.join('\n')}\n`,
  );
  return `# The keys of a recipe

Every key, in the notation of \`--set\`: \`training.epochs\`. Made from the schema in [\`src/recipe/\`](../src/recipe) by
\`node scripts/recipe-keys.mjs\`; do not edit. [training.md](training.md), [data.md](data.md) and [networks.md](networks.md) explain
them. A section \`smoke\` has keys of the same names: what \`--smoke\` changes.

An editor that knows YAML suggests keys and values, shows their meaning and marks mistakes, by
[\`recipes/recipe.schema.json\`](../recipes/recipe.schema.json), if the recipe has the line that the recipes of Satin and of
\`satin init\` have: \`# yaml-language-server: $schema=\` and the path of that file, from the recipe. Visual Studio Code needs the
extension YAML for it. What one key says of another one is checked by Satin alone.

${tables.join('\n')}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(join(root, 'docs', 'recipe-keys.md'), await recipeKeys());
