/** recipes/recipe.schema.json, for editors, says what the schema says, and takes what Satin takes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { packageFolder } from '../../src/provenance/package-folder.js';
import { loadRecipe, recipeNames } from '../../src/recipe/load-recipe.js';
import { parseRecipe } from '../../src/recipe/recipe.js';
import { overlay, type Section } from '../../src/recipe/section.js';

interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
}

const place = (...names: string[]) => join(packageFolder, ...names);
const script = pathToFileURL(place('scripts', 'recipe-schema.mjs')).href;
const { recipeJsonSchema } = (await import(script)) as { recipeJsonSchema: () => Promise<Schema> };
const stored = JSON.parse(readFileSync(place('recipes', 'recipe.schema.json'), 'utf8')) as Schema;
const isValid = new Ajv({ strictTypes: false }).compile(stored);
const text = (name: string) => readFileSync(place('recipes', `${name}.yaml`), 'utf8');

it('is up to date: node scripts/recipe-schema.mjs', async () => {
  assert.deepEqual(stored, JSON.parse(JSON.stringify(await recipeJsonSchema())));
});

/** The descriptions of all settings in a schema, by path. */
function* descriptions(
  schema: Schema,
  path: readonly string[] = [],
): Generator<readonly [path: string, description: string | undefined]> {
  for (const option of [...(schema.oneOf ?? []), ...(schema.anyOf ?? [])]) yield* descriptions(option, path);
  for (const [key, inner] of Object.entries(schema.properties ?? {})) {
    const options = [...(inner.oneOf ?? []), ...(inner.anyOf ?? []), inner];
    const isSection = options.some(({ properties }) => properties !== undefined);
    if (!isSection) yield [[...path, key].join('.'), inner.description ?? options[0]?.description];
    yield* descriptions(inner, [...path, key]);
  }
}

it('explains every setting, in the section smoke too', () => {
  const all = [...descriptions(stored)];
  assert.ok(all.some(([path]) => path === 'smoke.training.attack.steps'));
  for (const [path, description] of all) assert.match(description ?? '', /\S{2}.*[.)]$/, path);
});

describe('a validator of JSON Schemas', () => {
  for (const name of recipeNames())
    it(`takes ${name}, which names the schema, and the complete recipe`, () => {
      assert.match(text(name), /^# yaml-language-server: \$schema=recipe\.schema\.json\nname: /m);
      assert.ok(isValid(parse(text(name))), JSON.stringify(isValid.errors));
      const { threat, ...rest } = loadRecipe(name);
      const { epsilonText, ...plain } = threat;
      assert.ok(isValid({ ...rest, threat: plain }), JSON.stringify(isValid.errors));
      assert.ok(isValid({ ...rest, threat: { ...plain, epsilon: epsilonText } }));
    });

  const recipe = parse(text('cifar10-silu')) as Section & { readonly smoke: Section };
  const { smoke, ...whole } = recipe;
  const changed = (changes: Section) => overlay(whole, changes);
  const without = ({ name: _, ...rest }: Section) => rest;

  for (const [what, broken] of [
    ['a key that is misspelt', changed({ training: { epoch: 3 } })],
    ['a key of another objective', changed({ training: { beta: 6 } })],
    ['a key of another data set', changed({ data: { shuffleBuffer: 9 } })],
    ['an unknown network', changed({ model: { name: 'resnet21' } })],
    ['an unknown activation', changed({ model: { activation: 'silo' } })],
    ['a coefficient that is none', changed({ model: { activation: 'silu(2)' } })],
    ['a derivative with learned coefficients', changed({ training: { derivatives: { update: 'psilu' } } })],
    ['a missing name', without(whole)],
    ['a name with a slash', changed({ name: 'a/b' })],
    ['a negative radius', changed({ threat: { epsilon: -0.1 } })],
    ['a radius in words', changed({ threat: { epsilon: 'eight' } })],
    ['a step of 0', changed({ training: { attack: { stepSize: 0 } } })],
    ['half an epoch', changed({ training: { epochs: 0.5 } })],
    ['one and a half validation images', changed({ data: { validation: 1.5 } })],
    ['a rate of 1', changed({ model: { name: 'efficientnet-b0', dropout: 1 } })],
    ['an unknown device', changed({ device: 'gpu' })],
    ['an unknown attack', changed({ validation: { attack: 'pgd' } })],
    ['a factor of 1', changed({ training: { schedule: { name: 'step', milestones: [1], factor: 1 } } })],
  ] as const)
    it(`refuses ${what}, as Satin does`, () => {
      assert.ok(isValid(whole));
      assert.equal(isValid(broken), false);
      assert.throws(() => parseRecipe(broken, 'it'), { name: 'InputError' });
    });

  it('checks the section smoke', () => {
    assert.ok(isValid(recipe));
    for (const part of [{ training: { epoch: 1 } }, { data: { examples: 0.5 } }, { smoke: {} }, 3])
      assert.equal(isValid({ ...whole, smoke: part }), false, JSON.stringify(part));
    assert.ok(isValid({ ...whole, smoke: { training: { beta: 3, guard: null }, data: { examples: null } } }));
  });
});
