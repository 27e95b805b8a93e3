/** A report of runs that are not a pair says in what they differ. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { areOfActivation, noticeOf, runDifferences } from '../../../src/app/report/run-differences.js';
import { makeManifest } from '../../../src/provenance/manifest.js';
import { loadRecipe } from '../../../src/recipe/load-recipe.js';
import { createRunFolder } from '../../../src/runs/run-folder.js';

const root = mkdtempSync(join(tmpdir(), 'satin-differences-'));
after(() => rmSync(root, { recursive: true }));
const time = '2026-01-01T00:00:00.000Z';

/** A run of the recipe `fashion-mnist-relu` with changes, of whose epochs some are trained. */
function runOf(name: string, set: readonly string[], { epochs = 3, device = 'cpu' } = {}) {
  const recipe = loadRecipe('fashion-mnist-relu', { set: ['training.epochs=3', `name=${name}`, ...set] });
  const engine = { libtorch: '1.13.1', cuda: false };
  const manifest = makeManifest({ engine, device, threads: 2, seeds: { run: 0 }, chosen: {} });
  const path = join(root, name);
  using run = createRunFolder({ path, recipe, manifest });
  run.appendEvent({ type: 'start', time, epochs: 3, stepsPerEpoch: 5, parameters: 1, device });
  for (let epoch = 1; epoch <= epochs; epoch++)
    run.appendEvent({ type: 'epoch', time, epoch, step: 5 * epoch, seconds: 1, measurements: {} });
  return { path, recipe };
}

const relu = runOf('relu', []);

test('of a pair, the activation is the difference', () => {
  const runs = [relu, runOf('silu', ['model.activation=silu', 'threads=1'])];
  const differences = runDifferences(runs);
  assert.deepEqual(differences, [{ what: 'model.activation', values: ['relu', 'silu'] }]);
  assert.ok(areOfActivation(differences));
  assert.match(noticeOf(runs, differences), /^One seed each: .* no evidence for an activation\.$/);
});

test('other networks, recipes and states are all named, with their values', () => {
  const runs = [
    relu,
    runOf(
      'other',
      ['model={ name: resnet18, activation: silu }', 'data.augment.flip=false', 'training.attack.steps=7'],
      { epochs: 2, device: 'cuda:0' },
    ),
  ];
  const differences = runDifferences(runs);
  const found = new Map(differences.map(({ what, values }) => [what, values]));
  assert.deepEqual(found.get('model.name'), ['resnet8', 'resnet18']);
  assert.deepEqual(found.get('training.attack.steps')?.[1], '7');
  assert.deepEqual(found.get('epochs trained'), ['3', '2']);
  assert.match(found.get('trained on')![1]!, /^cuda:0/);
  assert.ok(!areOfActivation(differences));
  const notice = noticeOf(runs, differences);
  assert.match(notice, /^These runs differ in .*model\.name.*: nothing here says which of these/);
  assert.match(notice, /other has trained 2 of its 3 epochs\.$/);
  assert.doesNotMatch(notice, /One seed each/);
});

test('a difference of the seed alone is one of chance, and one run has its caveat', () => {
  const runs = [relu, runOf('again', ['training.seed=1'])];
  assert.match(noticeOf(runs, runDifferences(runs)), /differ in their seed alone/);
  assert.match(noticeOf([relu], []), /^One training run/);
  assert.match(noticeOf([runOf('half', [], { epochs: 1 })], []), /has trained 1 of its 3 epochs/);
});
