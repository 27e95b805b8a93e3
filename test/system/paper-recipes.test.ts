/** Every recipe of ImageNet and of CIFAR-10 says what it takes, and its smoke run trains; larger relatives in test/slow. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadRecipe } from '../../src/recipe/load-recipe.js';
import { isScaled, paperRecipes as names, smokeRuns } from '../support/smoke-runs.js';

smokeRuns(names.filter((name) => !isScaled(name)));

describe('the head of a recipe of the paper', () => {
  for (const name of names)
    it(`of ${name} names its command, what it takes and what to expect`, () => {
      const text = readFileSync(
        fileURLToPath(new URL(`../../../recipes/${name}.yaml`, import.meta.url)),
        'utf8',
      );
      const head = text.slice(0, text.indexOf('\nname: '));
      assert.match(head, new RegExp(`\\./satin train ${name} .*--device cuda`));
      assert.match(head, new RegExp(`\\./satin train ${name} --smoke`));
      assert.match(head, new RegExp(`\\./satin plan ${name} `));
      assert.match(head, /Not run here/);
      assert.match(head, /Expected: /);
      assert.match(head, /Hardware/);
    });
});

it('the two ResNet-50 of the paper differ in name and activation alone', () => {
  const [relu, silu] = [loadRecipe('imagenet-resnet50-relu'), loadRecipe('imagenet-resnet50-silu')];
  assert.deepEqual({ ...relu, name: silu.name, model: { ...relu.model, activation: 'silu' } }, silu);
});
