/** From a recipe's training section to its attack: the constants of each objective. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseDerivative } from '../../../src/activations/parse.js';
import { buildObjective, trainingAttackOf } from '../../../src/app/train/build-objective.js';
import { norms } from '../../../src/attacks/norms.js';
import { parseRecipe } from '../../../src/recipe/recipe.js';
import { assertClose } from '../../support/close.js';

type Section = Readonly<Record<string, unknown>>;

const recipe = (training: Section) =>
  parseRecipe(
    {
      name: 'minimal',
      data: { name: 'mnist' },
      model: { name: 'resnet8', activation: 'relu' },
      threat: { norm: 'linf', epsilon: '31/255' },
      training: { epochs: 3, batch: 12, schedule: { name: 'constant', learningRate: 0.1 }, ...training },
    },
    'test',
  );

function attackOf(objective: string, attack: Section = {}, more: Section = {}) {
  const { training, threat } = recipe({ objective, attack, ...more });
  assert.ok('attack' in training && training.objective !== 'free');
  return trainingAttackOf(training, threat);
}

const epsilon = 31 / 255;
const uniform = { kind: 'uniform' };
const beside = { kind: 'normal', deviation: 0.001 };

describe('the attack of', () => {
  const cases: readonly (readonly [
    objective: string,
    attack: Section,
    expected: { steps: number; stepSize: number; start: Section; loss?: string },
  ])[] = [
    ['pgd', { steps: 1 }, { steps: 1, stepSize: 1.25 * epsilon, start: uniform }],
    ['pgd', { steps: 10 }, { steps: 10, stepSize: 0.25 * epsilon, start: uniform }],
    ['pgd', { steps: 10, stepSize: '2/255' }, { steps: 10, stepSize: 2 / 255, start: uniform }],
    [
      'pgd',
      { steps: 1, randomStart: false },
      { steps: 1, stepSize: 1.25 * epsilon, start: { kind: 'image' } },
    ],
    ['fast', {}, { steps: 1, stepSize: 1.25 * epsilon, start: uniform }],
    ['sat', {}, { steps: 1, stepSize: epsilon, start: { kind: 'sat', clean: 0.2, clip: false } }],
    [
      'sat',
      { steps: 2, stepSize: '1/255', cleanStart: 0, clipStart: true },
      { steps: 2, stepSize: epsilon / 2, start: { kind: 'sat', clean: 0, clip: true } },
    ],
    [
      'sat',
      { stepSize: '40/255' },
      { steps: 1, stepSize: 40 / 255, start: { kind: 'sat', clean: 0.2, clip: false } },
    ],
    ['trades', {}, { steps: 10, stepSize: 7 / 255, start: beside, loss: 'kl' }],
    ['mart', { steps: 3 }, { steps: 3, stepSize: 7 / 255, start: beside }],
  ];
  for (const [objective, attack, { stepSize, ...expected }] of cases)
    it(`${objective} with ${JSON.stringify(attack)}`, () => {
      const made = attackOf(objective, attack);
      const { norm, batchNorm, epsilonWarmup, stepWarmup, epsilon: radius, stepSize: length, ...rest } = made;
      assert.deepEqual(rest, { loss: 'ce', ...expected });
      assertClose([length, radius], [stepSize, epsilon], { relative: 1e-12, absolute: 0 }, 'step and radius');
      assert.deepEqual([norm, batchNorm, epsilonWarmup, stepWarmup], [norms.linf, 'eval', 0, 0]);
    });

  it('any of them takes its warm-ups, its batch norm and another derivative', () => {
    const made = attackOf(
      'fast',
      { batchNorm: 'train', epsilonWarmup: 1, stepWarmup: 2 },
      { derivatives: { attack: 'softplus(10)' } },
    );
    assert.deepEqual([made.batchNorm, made.epsilonWarmup, made.stepWarmup], ['train', 1, 2]);
    assert.deepEqual(made.derivative?.curve, parseDerivative('softplus(10)').curve);
  });
});

it('groups of ghost batch norm are those of the clean start, and of an attack that takes batch statistics', () => {
  const groups = { batchNorm: { ghost: 4 } };
  const sat = attackOf('sat', {}, groups);
  assert.deepEqual(sat.start, { kind: 'sat', clean: 0.2, clip: false, group: 4 });
  const { start, ghost } = attackOf('fast', { batchNorm: 'train' }, groups);
  assert.deepEqual([start, ghost], [uniform, 4]);
});

it('Free replays each batch, the others do not', () => {
  assert.equal(buildObjective(recipe({ objective: 'free', attack: { replays: 3 } })).replays, 3);
  assert.equal(buildObjective(recipe({ objective: 'sat' })).replays, 1);
});
