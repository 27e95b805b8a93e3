/** Every arm of every study has a valid recipe at every scale, and differs from the arm it is compared with as it says. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadRecipe } from '../../src/recipe/load-recipe.js';
import type { Recipe } from '../../src/recipe/recipe.js';
import { studies } from '../../studies/catalogue.js';
import { scales } from '../../studies/scales.js';
import { armsOf, recipeOf } from '../../studies/setting.js';

/** Paths of the values in which two recipes differ. */
function differences(one: unknown, other: unknown, path = ''): string[] {
  const isSection = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isSection(one) || !isSection(other))
    return JSON.stringify(one) === JSON.stringify(other) ? [] : [path.slice(1)];
  return [...new Set([...Object.keys(one), ...Object.keys(other)])]
    .flatMap((key) => differences(one[key], other[key], `${path}.${key}`))
    .sort();
}

const base = loadRecipe('fashion-mnist-relu');
const of = (study: string, arm: string): Recipe => {
  const found = studies.find(({ name }) => name === study)!;
  return recipeOf(found.arms.find(({ name }) => name === arm)!, base, { study: found, seed: 1 });
};

describe('a study', () => {
  for (const study of studies)
    it(`${study.name}: its arms are known, and compared with arms that are not compared`, () => {
      const names = study.arms.map(({ name }) => name);
      assert.equal(new Set(names).size, names.length);
      for (const { name, against } of study.arms) {
        assert.match(name, /^[\w.()-]+$/);
        if (against !== null)
          assert.equal(study.arms.find((each) => each.name === against)?.against ?? null, null);
        if (against !== null) assert.ok(names.includes(against), against);
      }
      assert.ok(study.arms.some(({ against }) => against !== null));
    });

  for (const scale of scales)
    it(`has valid recipes at the scale ${scale.name}`, () => {
      for (const smoke of scale.name === 'cifar-resnet18' ? [false] : [false, true]) {
        const recipe = loadRecipe(scale.recipe, {
          smoke,
          ...(scale.name === 'imagenet' && { set: ['data.dir=photos'] }),
        });
        for (const study of studies)
          for (const arm of armsOf(study, recipe)) {
            const values = study.tuning?.values ?? [undefined];
            for (const value of values) {
              const made = recipeOf(arm, recipe, { study, seed: 3, ...(value !== undefined && { value }) });
              assert.equal(made.training.seed, 3);
            }
          }
      }
    });

  it('changes only what its arms are about', () => {
    for (const [study, one, other, paths] of [
      ['activations', 'relu', 'silu', ['model.activation']],
      ['gradient-quality', 'neither', 'both', ['training.derivatives.attack', 'training.derivatives.update']],
      ['gradient-quality', 'neither', 'attack', ['training.derivatives.attack']],
      ['elu-celu', 'elu(1)', 'elu(2)', ['model.activation']],
      ['relu-remedies', 'relu-pgd-2', 'silu-pgd-2', ['model.activation']],
      ['relu-remedies', 'relu', 'relu-2x', ['training.epochs', 'training.schedule.warmup']],
      ['scaling', 'relu-width-1', 'silu-width-1', ['model.activation']],
      ['scaling', 'relu-width-1', 'relu-width-2', ['model.width']],
      ['objectives', 'relu-trades', 'silu-trades', ['model.activation']],
    ] as const)
      assert.deepEqual(differences(of(study, one), of(study, other)), paths, `${one}, ${other}`);
  });

  it('has arms of its own for photographs', () => {
    const imagenet = loadRecipe('imagenet-resnet50-relu', { set: ['data.dir=photos'] });
    const scaling = studies.find(({ name }) => name === 'scaling')!;
    const [small, large] = [base, imagenet].map((each) => armsOf(scaling, each).map(({ name }) => name));
    assert.ok(small!.includes('silu-resnet20') && !small!.includes('silu-299-pixels'));
    assert.ok(large!.includes('silu-299-pixels') && !large!.includes('silu-resnet20'));
  });

  it('attacks in training by the rule of the paper', () => {
    const attack = (arm: string) => {
      const { training } = of('relu-remedies', arm);
      assert.equal(training.objective, 'pgd');
      return training.objective === 'pgd' ? training.attack : null;
    };
    for (const [count, size] of [
      [1, 0.1],
      [2, 0.05],
      [3, 0.1 / 3],
      [7, 0.025],
    ] as const) {
      assert.equal(attack(`relu-pgd-${count}`)!.steps, count);
      assert.ok(Math.abs(attack(`relu-pgd-${count}`)!.stepSize! - size) < 1e-12);
    }
  });
});
