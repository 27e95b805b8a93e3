/**
 * Writes docs/recipe-keys.md: every key of a recipe with its values, its default and its meaning, made from the schema and
 * from the docstrings of its source. `node scripts/recipe-keys.mjs` after the TypeScript is compiled; a test compares.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const sources = ['recipe', 'data', 'imagenet-data', 'model', 'objective', 'training'];

/** Docstrings of a source: what each is on, and the constant in whose braces it stands, if any. */
function docstrings(file) {
  const text = readFileSync(join(root, 'src', 'recipe', `${file}.ts`), 'utf8');
  const found = [];
  for (const match of text.matchAll(
    /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*(?:export )?(?:const )?(\w+)\s*(?::|=)/g,
  )) {
    const before = text.slice(0, match.index);
    const isTop = /(^|\n)$/.test(before);
    const owner = isTop ? null : ([...before.matchAll(/\n(?:export )?const (\w+)/g)].at(-1)?.[1] ?? null);
    const inner = isTop ? null : ([...before.matchAll(/\n {2,4}(\w+): z\s*\n/g)].at(-1)?.[1] ?? null);
    const words = match[1]
      .replaceAll(/\n\s*\*/g, '\n')
      .replaceAll(/\s+/g, ' ')
      .trim();
    found.push({ file, name: match[2], owners: [owner, inner], text: words.replace(/ ?@default .*$/, '') });
  }
  return found;
}

const all = sources.flatMap(docstrings);

/** Of keys without a docstring of their own, or whose name stands for something else in the same section. */
const meanings = {
  description: 'A text for people; it has no effect.',
  'data.name': 'The data set ([data.md](data.md)).',
  'data.validation':
    'Training images that are kept for validation: a number, or a share below 1; 0 for none.',
  'threat.norm': 'The norm in which images may change.',
  'training.objective': 'What is trained on ([training.md](training.md#objectives)).',
  'training.optimizer.name': 'The optimiser.',
  'training.optimizer.epsilon': 'Added to the denominator of the update.',
  'training.schedule.name': 'How the learning rate changes.',
  'training.schedule.factor': 'What the learning rate is multiplied by at each milestone.',
  'training.batchNorm':
    'Batch norm statistics in training: of the whole batch, of the part of each process (`ghost`), or of groups of so many images.',
  'training.batchNorm.ghost': 'Images of a group.',
  'training.derivatives.attack':
    'Activation whose derivative the attack uses in place of the network\u2019s; null for its own.',
  'training.derivatives.update':
    'Activation whose derivative the update uses in place of the network\u2019s; null for its own.',
};

/** The docstring of a path: of the constant of its section first, then of a constant of its name. */
function meaningOf(path) {
  const stated = meanings[path.join('.')];
  if (stated !== undefined) return stated;
  const [name, section, ...above] = [...path].reverse();
  const named = all.filter((each) => each.name === name);
  const rank = ({ owners: [owner, inner], file }) => {
    if (section !== undefined && (inner === section || owner === section)) return 0;
    if (section === 'attack' && /attack/i.test(owner ?? '')) return 1;
    if (above.includes(file) || file === section) return 2;
    return owner === null ? 3 : 4;
  };
  return named.sort((a, b) => rank(a) - rank(b))[0]?.text ?? '';
}

function unwrapped(schema) {
  if (schema instanceof z.ZodPipe) return unwrapped(schema.in);
  if (
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodOptional
  )
    return unwrapped(schema.unwrap());
  return schema;
}

/** In words as the messages have them. */
function valuesOf(schema) {
  const plain = unwrapped(schema);
  if (plain instanceof z.ZodLiteral) return [...plain.values].map((value) => `\`${value}\``);
  if (plain instanceof z.ZodEnum) return plain.options.map((value) => `\`${value}\``);
  if (plain instanceof z.ZodBoolean) return ['`true`', '`false`'];
  const words = plain.safeParse(Symbol('none')).error?.issues[0]?.message ?? 'a value';
  return [/^Invalid/.test(words) ? 'a list of numbers' : words.replace(/,$/, '')];
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

/** Keys in the order of the schema; one that several choices have is one row. */
function rowsOf(schema, path, when, rows) {
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
  const row = rows.get(key) ?? {
    path,
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
  rows.set(key, row);
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
  for (const row of rows.values()) {
    const { path, values, defaults, when, tag } = row;
    if (path.join('.') === 'threat.epsilonText') continue; // in stored recipes only
    const isChoice = path.join('.') === tag;
    const only =
      tag === undefined || isChoice || when.size === choices.get(tag).size
        ? ''
        : `With ${tag} ${[...when].join(', ')}. `;
    const line = `| \`${path.join('.')}\` | ${[...values].join(', ')} | ${[...defaults].join(', ')} | ${only}${meaningOf(path)} |`;
    const section = path.length === 1 && !(path[0] in { data: 1, model: 1 }) ? 'The recipe' : path[0];
    sections.set(section, [...(sections.get(section) ?? []), line]);
  }
  const tables = [...sections].map(
    ([section, lines]) =>
      `## ${section === 'The recipe' ? section : `\`${section}\``}\n\n| key | values | default | meaning |\n| --- | --- | --- | --- |\n${lines.join('\n')}\n`,
  );
  return `# The keys of a recipe\n\nEvery key, in the notation of \`--set\`: \`training.epochs\`. Made from the schema in [\`src/recipe/\`](../src/recipe) by\n\`node scripts/recipe-keys.mjs\`; do not edit. [training.md](training.md), [data.md](data.md) and [networks.md](networks.md) explain\nthem.\n\n${tables.join('\n')}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(join(root, 'docs', 'recipe-keys.md'), await recipeKeys());
