import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activationNames } from '../../../src/activations/parse.js';
import { settingSuggestions } from '../../../src/cli/completion/settings.js';
import { modelNames } from '../../../src/models/architectures/names.js';
import { settingPaths } from '../../../src/recipe/setting-paths.js';

const values = (typed: string) => settingSuggestions(typed).map(({ value }) => value);

test('every setting is suggested, with what it is, and nothing else', () => {
  const suggestions = settingSuggestions('');
  const keys = suggestions.map(({ value }) => value.replace(/=$/, ''));
  const all = settingPaths().filter((path) => path !== 'threat.epsilonText');
  const sections = keys.filter((key) => !all.includes(key));
  assert.deepEqual(
    sections,
    ['training.ema', 'training.derivatives', 'training.awp', 'training.gradAlign', 'training.guard'].filter(
      (key) => sections.includes(key),
    ),
    'sections that may be null are keys too',
  );
  assert.deepEqual(
    all.filter((path) => !keys.includes(path)),
    [],
  );
  for (const { value, about } of suggestions) assert.match(about ?? '', /\S/, value);
});

test('the values of a setting are those that have a name', () => {
  assert.deepEqual(
    values('model.activation='),
    activationNames.map((name) => `model.activation=${name}`),
  );
  assert.deepEqual(
    values('model.name='),
    modelNames.map((name) => `model.name=${name}`),
  );
  assert.deepEqual(values('data.augment.flip='), ['data.augment.flip=true', 'data.augment.flip=false']);
  assert.deepEqual(values('training.patience='), ['training.patience=null']);
  assert.deepEqual(values('training.epochs='), []);
  assert.deepEqual(values('training.nothing='), []);
  assert.ok(values('training.objective=').includes('training.objective=gradient-norm'));
});

test('in a list the last value is completed', () => {
  assert.ok(values('model.activation=relu,s').includes('model.activation=relu,silu'));
});
