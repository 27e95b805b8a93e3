/** The work of a recipe is counted as training counts it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { passCounts } from '../../../src/app/plan/pass-counts.js';
import { loadRecipe } from '../../../src/recipe/load-recipe.js';

const recipe = (name: string, ...set: string[]) => loadRecipe(name, { set });
const images = { training: 58_000, validation: 2000 };
const passes = (name: string, ...set: string[]) => passCounts(recipe(name, ...set), images).perImage;

describe('the work of a recipe', () => {
  it('has the steps of its epochs, of the images that validation leaves', () => {
    const { steps, batch, measured, perMeasured, epochs } = passCounts(
      recipe('fashion-mnist-silu', 'training.epochSteps=null', 'training.epochs=3'),
      images,
    );
    assert.equal(steps, 3 * Math.floor(58_000 / 128));
    assert.deepEqual({ batch, measured, epochs }, { batch: 128, measured: 500, epochs: 3 });
    assert.deepEqual(perMeasured, { forward: 1, attack: 10, update: 0 });
  });

  it('has the passes of its objective', () => {
    assert.deepEqual(passes('fashion-mnist-clean'), { forward: 0, attack: 0, update: 1 });
    assert.deepEqual(passes('fashion-mnist-silu', 'training.attack.steps=7'), {
      forward: 0,
      attack: 7,
      update: 1,
    });
    const { attack, update, forward } = passes('fashion-mnist-trades', 'training.attack.steps=5');
    assert.deepEqual({ attack, update, forward }, { attack: 5, update: 2, forward: 1 });
    assert.equal(passes('fashion-mnist-silu', 'training.awp={}').update, 2);
    const free = passCounts(
      recipe(
        'fashion-mnist-free',
        'training.epochSteps=null',
        'training.epochs=2',
        'training.attack.replays=5',
      ),
      images,
    );
    assert.equal(free.steps % 5, 0);
  });
});
