/** Weights that PyTorch or another program wrote, in a network of Satin's: names, normalisation, refusals. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { importWeights } from '../../../src/app/model/import-weights.js';
import { openModel } from '../../../src/app/model/open-model.js';
import type { ModelFileOptions } from '../../../src/app/model/read-model-file.js';
import { parseExternalDescription, parsePreprocessing } from '../../../src/cli/model-options.js';
import { setThreads } from '../../../src/engine/engine-info.js';
import { toArrays } from '../../../src/weights/module-weights.js';
import { encodeSafetensors, type NamedArray } from '../../../src/weights/safetensors.js';
import { readWeightsFile } from '../../../src/weights/weights-file.js';
import { bits, file, form, normalise, refuses, tiny, words } from '../../support/foreign-weights.js';

setThreads(1);
const temporary = mkdtempSync(join(tmpdir(), 'satin-import-'));
after(() => rmSync(temporary, { recursive: true }));
const preprocessing = { range: [0, 1], normalise } as const;

/** The weights and the description of an imported file. */
function imported(path: string, { entry, preprocessing = null }: ModelFileOptions = {}) {
  const { model, skipped, digest } = importWeights(readWeightsFile(path, { entry }), {
    description: form,
    preprocessing,
  });
  using owned = model;
  const weights = toArrays(owned.network.state());
  return { weights, normalise: owned.description.normalise, skipped, digest };
}

/** A safetensors file without Satin's metadata, with arrays of the network changed. */
function foreign(name: string, change: (arrays: NamedArray[]) => readonly NamedArray[]): string {
  const path = join(temporary, `${name}.safetensors`);
  writeFileSync(path, encodeSafetensors(change([...tiny.arrays]), { format: 'pt' }));
  return path;
}

describe('weights of another program', () => {
  for (const name of ['tiny.pt', 'tiny-old.pt'])
    it(`are the network's to the bit: ${name}`, () => {
      const { weights, normalise, skipped, digest } = imported(file(name));
      assert.deepEqual(bits(weights), bits(tiny.arrays));
      assert.equal(normalise, null);
      assert.deepEqual(skipped, []);
      assert.match(digest, /^sha256:[0-9a-f]{64}$/);
    });

  it('are found behind the prefixes of wrappers, and their normalisation becomes the first layer', () => {
    const found = imported(file('wrapped.pt'));
    assert.deepEqual(bits(found.weights), bits(tiny.arrays));
    assert.deepEqual(found.normalise, normalise);
    assert.deepEqual(found.skipped.slice(-2), ['module.normalize.mean', 'module.normalize.std']);
  });

  it('have other prefixes and a copy in other programs', () => {
    const path = foreign('prefixes', (arrays) => [
      ...arrays.map((array) => ({ ...array, name: `module._orig_mod.1.${array.name}` })),
      { ...arrays[0]!, name: 'module.attacker.model.conv1.weight' },
      ...[normalise.mean, normalise.std].map((values, half) => ({
        name: `module.normalizer.new_${['mean', 'std'][half]}`,
        dtype: 'F32' as const,
        shape: [3, 1, 1],
        bytes: new Uint8Array(Float32Array.from(values).buffer),
      })),
    ]);
    const found = imported(path);
    assert.deepEqual(bits(found.weights), bits(tiny.arrays));
    assert.deepEqual(found.normalise, normalise);
    assert.ok(found.skipped.includes('module.attacker.model.conv1.weight'));
  });

  it('may lack the counters of batch norms, which stay 0', () => {
    const { weights } = imported(file('no-counters.pt'));
    assert.deepEqual(bits(weights), bits(tiny.arrays));
  });

  it('of half precision keep each of their numbers', () => {
    const { weights } = imported(file('bfloat.pt'));
    for (const [place, { name, dtype, bytes }] of weights.entries()) {
      if (dtype !== 'F32') continue;
      const before = new Float32Array(tiny.arrays.find((array) => array.name === name)!.bytes.slice().buffer);
      const after = new Float32Array(bytes.slice().buffer);
      assert.ok(
        after.every((value, at) => Math.abs(value - before[at]!) <= 2 ** -8 * Math.abs(before[at]!)),
        name,
      );
      assert.ok(
        new Uint16Array(after.buffer).every((half, at) => at % 2 === 1 || half === 0),
        `${name} ${place}`,
      );
    }
  });

  it('hold what nothing reads in any form: counters, and those of AveragedModel and thop', () => {
    const counter = (name: string) => name.endsWith('num_batches_tracked');
    const changed = foreign('counters', (arrays) => [
      ...arrays.map((array) =>
        counter(array.name)
          ? { ...array, dtype: 'F16' as const, shape: [2], bytes: new Uint8Array(4) }
          : array,
      ),
      { name: 'n_averaged', dtype: 'I64', shape: [], bytes: new Uint8Array(8) },
      { name: 'layer1.0.total_ops', dtype: 'F64', shape: [1], bytes: new Uint8Array(8) },
    ]);
    const { weights, skipped } = imported(changed);
    const read = (arrays: readonly NamedArray[]) => bits(arrays.filter(({ name }) => !counter(name)));
    assert.deepEqual(read(weights), read(tiny.arrays));
    assert.deepEqual(skipped, ['layer1.0.total_ops', 'n_averaged']);
  });

  it('hold a normalisation of half precision', () => {
    const half = (values: readonly number[]) => new Uint8Array(Uint16Array.from(values).buffer);
    const [mean, std] = [half([0x3800, 0x3700, 0x3600]), half([0x3400, 0x3400, 0x3800])];
    const path = foreign('half-norm', (arrays) => [
      ...arrays,
      { name: 'normalize.mean', dtype: 'F16', shape: [1, 3, 1, 1], bytes: mean },
      { name: 'normalize.std', dtype: 'F16', shape: [1, 3, 1, 1], bytes: std },
    ]);
    assert.deepEqual(imported(path).normalise, normalise);
  });

  it('take a stated normalisation, in any range, where they hold none', () => {
    assert.deepEqual(imported(file('tiny.pt'), { preprocessing }).normalise, normalise);
    const ranged = (words: Parameters<typeof parsePreprocessing>[0]) =>
      imported(file('tiny.pt'), { preprocessing: parsePreprocessing(words) }).normalise;
    assert.deepEqual(ranged({ inputRange: '-1,1' }), { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] });
    assert.deepEqual(ranged({ inputRange: '0,255', mean: '127.5', std: '51' }), {
      mean: [0.5, 0.5, 0.5],
      std: [0.2, 0.2, 0.2],
    });
    assert.deepEqual(imported(file('wrapped.pt'), { preprocessing }).normalise, normalise);
    const other = { range: [0, 1], normalise: { mean: [0.5], std: [0.5] } } as const;
    refuses(
      () => imported(file('wrapped.pt'), { preprocessing: other }),
      /the mean is 0\.5,0\.4375,0\.375 and the std 0\.25,0\.25,0\.5/,
    );
  });
});

describe('weights that are not the network’s are refused, each named:', () => {
  const cases: Record<string, readonly [string, RegExp]> = {
    missing: [
      foreign('missing', (arrays) => arrays.filter(({ name }) => !name.startsWith('bn1.'))),
      /missing\.safetensors but 4 are missing \(bn1\.weight, bn1\.bias, bn1\.running_mean, bn1\.running_var\)\./,
    ],
    extra: [
      foreign('extra', (arrays) => [...arrays, { ...arrays[0]!, name: 'fc.weight' }]),
      /one is unexpected \(fc\.weight\)\./,
    ],
    misshapen: [
      foreign('misshapen', (arrays) =>
        arrays.map((array) => (array.name === 'linear.bias' ? { ...array, shape: [3, 1] } : array)),
      ),
      /one is of another shape \(linear\.bias has shape \[3, 1\] instead of \[3\]\)\./,
    ],
    'of another network': [
      foreign('other', (arrays) =>
        arrays.map((array) => ({ ...array, name: array.name.replace('layer', 'stage') })),
      ),
      /\d+ are missing \(layer1\.0.*and \d+ more\), \d+ are unexpected \(stage1\.0.*and \d+ more\)\./,
    ],
    double: [
      file('double.pt'),
      /float32 or a dtype that converts to it exactly for the element type of .* 'F64'.*model\.float\(\)/,
    ],
    'of whole numbers': [
      foreign('whole', (arrays) =>
        arrays.map((array) => (array.name === 'bn1.bias' ? { ...array, dtype: 'I32' as const } : array)),
      ),
      /converts to it exactly for the element type of bn1\.bias but received 'I32'/,
    ],
    twice: [
      foreign('twice', (arrays) => [...arrays, { ...arrays[0]!, name: `module.${arrays[0]!.name}` }]),
      /one array for \S+ but received 'two, \S+ and module\.\S+'/,
    ],
    'half a normalisation': [
      foreign('half', (arrays) => [
        ...arrays,
        { name: 'mu', dtype: 'F32', shape: [3], bytes: new Uint8Array(12) },
      ]),
      /one mean and one std for the normalisation in the weights but received 'mu'/,
    ],
    pickled: [file('attack.pt'), /its pickle references posix\.system/],
  };
  for (const [name, [path, sentence]] of Object.entries(cases))
    it(name, () => refuses(() => imported(path), sentence));
});

describe('what is said of them', () => {
  it('may leave the names of the classes open: they are not compared then', () => {
    const counted = { ...words, classes: '3' };
    using model = openModel(file('tiny.pt'), { external: parseExternalDescription(counted) });
    assert.equal(model.classes, null);
    using named = openModel(file('tiny.pt'), { external: form });
    assert.deepEqual(named.classes, ['a', 'b', 'c']);
  });
});
