import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { WeightArray } from '../../src/weights/module-weights.js';
import { matchParameterNames, storedNormalisation } from '../../src/weights/parameter-names.js';

const array = (name: string, values: readonly number[] = [0]): WeightArray => ({
  name,
  dtype: 'F32',
  shape: [values.length],
  read: () => new Uint8Array(Float32Array.from(values).buffer),
});
const known = new Set(['conv1.weight', 'model.weight']);
const renamed = (...names: string[]) => {
  const { arrays, skipped } = matchParameterNames(
    names.map((name) => array(name)),
    known,
  );
  return { names: arrays.map(({ name }) => name), skipped };
};

it('prefixes are taken off until a name is known', () => {
  assert.deepEqual(renamed('module._orig_mod.conv1.weight', 'module.model.weight'), {
    names: ['conv1.weight', 'model.weight'],
    skipped: [],
  });
});

it('a normalisation and copies are left out, other names stay to be refused', () => {
  assert.deepEqual(renamed('model.normalize.mean', 'sigma', 'attacker.conv1.weight', 'other'), {
    names: ['other'],
    skipped: ['model.normalize.mean', 'sigma', 'attacker.conv1.weight'],
  });
});

it('two arrays of one name are refused', () => {
  assert.throws(
    () => renamed('conv1.weight', 'module.conv1.weight'),
    /two, conv1\.weight and module\.conv1\.weight/,
  );
});

it('the normalisation is one number a channel, or one for all', () => {
  const [mean, std] = [array('module.mu', [0.25, 0.5]), array('std', [0.125])];
  assert.deepEqual(storedNormalisation([mean, std, array('x')], 2), {
    mean: [0.25, 0.5],
    std: [0.125, 0.125],
  });
  assert.equal(storedNormalisation([array('x')], 2), null);
  assert.throws(() => storedNormalisation([mean], 2), /one mean and one std for .* 'module\.mu'/);
  assert.throws(() => storedNormalisation([mean, std], 3), /3 floating-point numbers, one per channel,/);
});
