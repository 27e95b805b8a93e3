/** Recipes that older versions stored mean what they meant. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseRecipe } from '../../src/recipe/recipe.js';

const recipe = (gradAlign: unknown, objective = 'fast') => ({
  name: 'minimal',
  data: { name: 'mnist' },
  model: { name: 'resnet20', activation: 'relu' },
  threat: { norm: 'linf', epsilon: 0.1 },
  training: { objective, gradAlign, epochs: 3, batch: 12, schedule: { name: 'constant', learningRate: 0.1 } },
});
const placeOf = (input: unknown) => {
  const { training } = parseRecipe(input, 'test');
  return 'gradAlign' in training ? training.gradAlign?.at : undefined;
};

describe('GradAlign of a recipe', () => {
  it('is at the attack’s start for fast, and at the image for the others', () => {
    assert.equal(placeOf(recipe({})), 'start');
    assert.equal(placeOf(recipe({}, 'sat')), 'image');
    assert.equal(placeOf(recipe({ at: 'image' })), 'image');
  });

  it('stays at the image where the recipe was stored before there was a choice', () => {
    const { threat, ...rest } = parseRecipe(recipe({ at: 'image' }), 'test');
    assert.ok('gradAlign' in rest.training);
    const old = { ...rest, threat, training: { ...rest.training, gradAlign: { weight: 0.2 } } };
    assert.equal(placeOf(old), 'image');
    assert.deepEqual(parseRecipe(old, 'test'), { ...rest, threat });
    const stored = parseRecipe(recipe({}), 'test');
    assert.deepEqual(parseRecipe(stored, 'test'), stored, 'a stored choice stays too');
    assert.equal(placeOf({ ...old, training: { ...rest.training, gradAlign: null } }), undefined);
  });

  it('of any other input is left to the schema', () => {
    for (const input of [null, 3, { threat: { epsilonText: '1' } }, { ...recipe({}), training: [] }])
      assert.throws(() => parseRecipe(input, 'test'), /Expected/);
  });
});
