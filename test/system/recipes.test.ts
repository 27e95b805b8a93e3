/** The recipes of Fashion-MNIST and of the quickstart; `npm run test:slow system/recipes` trains each. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { quickstartData } from '../../src/app/quickstart-data.js';
import { loadRecipe, recipeNames } from '../../src/recipe/load-recipe.js';
import { objectiveNames } from '../../src/recipe/objective.js';

const names = recipeNames().filter((name) => name.startsWith('fashion-mnist-'));

describe('the recipes of Fashion-MNIST', () => {
  it('have every objective', () => {
    const named = new Set(names.map((name) => loadRecipe(name).training.objective));
    assert.deepEqual([...named].sort(), [...objectiveNames].sort());
  });

  for (const data of quickstartData)
    it(`on ${data} differ in the activation and the name alone, where they are the quickstart’s`, () => {
      const [relu, silu] = [loadRecipe(`${data}-relu`), loadRecipe(`${data}-silu`)];
      assert.deepEqual({ ...relu, name: silu.name, model: { ...relu.model, activation: 'silu' } }, silu);
    });
});
