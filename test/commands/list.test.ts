import assert from 'node:assert/strict';
import { after, it } from 'node:test';
import { activationNames, parseActivation } from '../../src/activations/parse.js';
import { dataNames } from '../../src/data/dataset-names.js';
import { modelNames } from '../../src/models/architectures/names.js';
import { recipeNames } from '../../src/recipe/load-recipe.js';
import { commandLines } from '../support/command-lines.js';

const lines = commandLines();
after(() => lines.close());

async function listed(kind: string): Promise<string[]> {
  const { status, stdout, stderr, engineLoaded } = await lines.run(['list', kind]);
  assert.deepEqual([status, stderr, engineLoaded], [0, '', false]);
  return stdout.trimEnd().split('\n');
}
const first = (rows: readonly string[]) => rows.map((row) => row.split(/\s/, 1)[0]);

it('satin list names everything of a kind, a line each', async () => {
  const recipes = await listed('recipes');
  assert.deepEqual(first(recipes), recipeNames());
  for (const line of recipes) assert.match(line, /^\S+ {2,}\S.{10,}$/, 'with what it is');
  assert.deepEqual(await listed('models'), [...modelNames]);
  assert.deepEqual(await listed('data'), [...dataNames]);
  const activations = first(await listed('activations'));
  assert.deepEqual(activations, [...activationNames]);
  for (const name of activations) parseActivation(name!);
  assert.match(
    (await listed('attacks')).join('\n'),
    /--autoattack standard: apgd-ce, apgd-t, fab-t, square$/m,
  );
});

it('it refuses another kind with those that there are', async () => {
  const { status, stderr } = await lines.run(['list', 'recipe']);
  assert.equal(status, 2);
  assert.match(stderr, /Allowed choices are recipes, models, activations, attacks, data/);
});
