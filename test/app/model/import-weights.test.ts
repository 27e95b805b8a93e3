/** Weights that PyTorch or another program wrote, in a network of Satin's: names, normalisation, refusals, and the way back. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { exportModel } from '../../../src/app/model/export-model.js';
import { importWeights } from '../../../src/app/model/import-weights.js';
import { initialise, readInitialWeights } from '../../../src/app/model/initial-weights.js';
import { type ModelFileOptions, readModelFile } from '../../../src/app/model/model-file.js';
import { openModel } from '../../../src/app/model/open-model.js';
import { parseExternalDescription, parsePreprocessing } from '../../../src/cli/model-options.js';
import { setThreads } from '../../../src/engine/engine-info.js';
import { InputError } from '../../../src/errors.js';
import type { ModelDescription } from '../../../src/models/description.js';
import { Model } from '../../../src/models/model.js';
import { readCheckpoint } from '../../../src/runs/checkpoint.js';
import { toArrays } from '../../../src/weights/module-weights.js';
import { encodeSafetensors, type NamedArray, readSafetensors } from '../../../src/weights/safetensors.js';
import { readWeightsFile } from '../../../src/weights/weights-file.js';
import { idx, satin } from '../../support/tiny-run.js';

setThreads(1);

const folder = fileURLToPath(new URL('../../../../test/golden/state-dicts/', import.meta.url));
const file = (name: string) => join(folder, name);
const temporary = mkdtempSync(join(tmpdir(), 'satin-import-'));
after(() => rmSync(temporary, { recursive: true }));

const words = {
  architecture: 'resnet8',
  activation: 'relu',
  classes: 'a,b,c',
  shape: '3x8x8',
  width: '0.0625',
} as const;
const form = parseExternalDescription(words)!;
const normalise = { mean: [0.5, 0.4375, 0.375], std: [0.25, 0.25, 0.5] };
const preprocessing = { range: [0, 1], normalise } as const;
/** What all files hold, each in its way. */
const tiny = readSafetensors(file('tiny.safetensors'));

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

const bits = (arrays: readonly NamedArray[]) =>
  new Map(
    arrays.map(({ bytes, ...array }) => [
      array.name,
      { ...array, bytes: Buffer.from(bytes).toString('hex') },
    ]),
  );

/** A safetensors file without Satin's metadata, with arrays of the network changed. */
function foreign(name: string, change: (arrays: NamedArray[]) => readonly NamedArray[]): string {
  const path = join(temporary, `${name}.safetensors`);
  writeFileSync(path, encodeSafetensors(change([...tiny.arrays]), { format: 'pt' }));
  return path;
}

const refuses = (body: () => unknown, sentence: RegExp) =>
  assert.throws(body, (error) => {
    assert.ok(error instanceof InputError, error instanceof Error ? error.stack : String(error));
    assert.match(error.message, sentence);
    return true;
  });

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
      /--mean 0\.5,0\.4375,0\.375 --std 0\.25,0\.25,0\.5/,
    );
  });
});

describe('weights that are not the network’s are refused, each named:', () => {
  const cases: Record<string, readonly [string, RegExp]> = {
    missing: [
      foreign('missing', (arrays) => arrays.filter(({ name }) => !name.startsWith('bn1.'))),
      /missing\.safetensors, but 4 are missing \(bn1\.weight, bn1\.bias, bn1\.running_mean, bn1\.running_var\)\./,
    ],
    extra: [
      foreign('extra', (arrays) => [...arrays, { ...arrays[0]!, name: 'fc.weight' }]),
      /one is not of it \(fc\.weight\)\./,
    ],
    misshapen: [
      foreign('misshapen', (arrays) =>
        arrays.map((array) => (array.name === 'linear.bias' ? { ...array, shape: [3, 1] } : array)),
      ),
      /one is of another shape \(linear\.bias has \[3, 1\] and not \[3\]\)\./,
    ],
    'of another network': [
      foreign('other', (arrays) =>
        arrays.map((array) => ({ ...array, name: array.name.replace('layer', 'stage') })),
      ),
      /\d+ are missing \(layer1\.0.*and \d+ more\), \d+ are not of it \(stage1\.0.*and \d+ more\)\./,
    ],
    double: [
      file('double.pt'),
      /float32 or what becomes it without loss for the element type of .* 'F64'.*model\.float\(\)/,
    ],
    'of whole numbers': [
      foreign('whole', (arrays) =>
        arrays.map((array) => (array.name === 'bn1.bias' ? { ...array, dtype: 'I32' as const } : array)),
      ),
      /without loss for the element type of bn1\.bias but received 'I32'/,
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
    pickled: [file('attack.pt'), /its pickle names posix\.system/],
  };
  for (const [name, [path, sentence]] of Object.entries(cases))
    it(name, () => refuses(() => imported(path), sentence));
});

describe('what is said of them', () => {
  it('is needed for weights, and refused for what says it itself', () => {
    refuses(() => openModel(file('tiny.pt')), /Expected `external`.*it holds weights without a network/);
    refuses(() => openModel(foreign('plain', (arrays) => arrays)), /it holds weights without a network/);
    refuses(
      () => openModel(file('tiny.safetensors'), { external: form }),
      /This file describes its own network/,
    );
    refuses(
      () => openModel(file('tiny.safetensors'), { entry: 'ema' }),
      /This file describes its own network/,
    );
  });

  const wrong: readonly (readonly [Partial<Record<keyof typeof words, string | undefined>>, RegExp])[] = [
    [{ architecture: 'resnet9' }, /--architecture but received 'resnet9'\. Did you mean 'resnet8'\?/],
    [{ architecture: undefined }, /--architecture but received undefined/],
    [{ activation: undefined }, /--activation/],
    [{ activation: 'swish' }, /activation but received 'swish'/],
    [{ classes: '1' }, /at least 2, or names .* for --classes but received '1'/],
    [{ classes: 'a,,b' }, /--classes/],
    [{ classes: 'a,a' }, /names that differ for --classes/],
    [{ classes: undefined }, /--classes/],
    [{ shape: '8x8' }, /such as 3x32x32, for --shape but received '8x8'/],
    [{ shape: undefined }, /--shape/],
    [{ width: '0' }, /a number above 0 for --width/],
  ];
  for (const [change, sentence] of wrong)
    it(`is checked: ${JSON.stringify(change)}`, () =>
      refuses(() => parseExternalDescription({ ...words, ...change }), sentence));

  it('may leave the names of the classes open: they are not compared then', () => {
    const counted = { ...words, classes: '3' };
    using model = openModel(file('tiny.pt'), { external: parseExternalDescription(counted) });
    assert.equal(model.classes, null);
    using named = openModel(file('tiny.pt'), { external: form });
    assert.deepEqual(named.classes, ['a', 'b', 'c']);
  });
});

describe('a model that is exported as safetensors', () => {
  const out = join(temporary, 'out.safetensors');

  it('says itself what it is, and holds the same bits under the same names', () => {
    const { skipped } = exportModel(readModelFile(file('wrapped.pt'), { external: form }), {
      format: 'safetensors',
      out,
    });
    assert.equal(skipped.length, 10);
    assert.deepEqual(bits(readSafetensors(out).arrays), bits(tiny.arrays));
    const { model } = readCheckpoint({ path: out });
    assert.deepEqual(model, {
      architecture: 'resnet8',
      width: 0.0625,
      activation: 'relu',
      classes: ['a', 'b', 'c'],
      shape: [3, 8, 8],
      normalise,
    });
  });

  it('is written the same again from itself', () => {
    const again = join(temporary, 'again.safetensors');
    exportModel(readModelFile(out), { format: 'safetensors', out: again });
    assert.deepEqual(readFileSync(again), readFileSync(out));
  });
});

describe('training that begins with them', () => {
  const description: ModelDescription = { ...form, normalise };
  const begun = (path: string, change: Partial<ModelDescription> = {}, newHead = false) => {
    using model = Model.create({ ...description, ...change }, { seed: 9 });
    const init = readInitialWeights(path);
    initialise(model, init, { newHead });
    return toArrays(model.network.state());
  };

  it('has their bits', () => {
    for (const name of ['tiny.pt', 'wrapped.pt'])
      assert.deepEqual(bits(begun(file(name))), bits(tiny.arrays));
  });

  it('has a fresh head where that is asked for', () => {
    const classes = ['x', 'y'];
    refuses(
      () => begun(file('tiny.pt'), { classes }),
      /2 classes for --init but received '.*tiny\.pt with 3'\. Say --new-head/,
    );
    const weights = bits(begun(file('tiny.pt'), { classes }, true));
    for (const [name, array] of bits(tiny.arrays))
      if (name.startsWith('linear.')) assert.notEqual(weights.get(name)?.bytes, array.bytes);
      else assert.deepEqual(weights.get(name), array);
  });

  it('is refused with another normalisation, and told which', () => {
    refuses(
      () => begun(file('wrapped.pt'), { normalise: null }),
      /model\.normalise but received null\. Set it: --set "model\.normalise=\{mean: \[0\.5, 0\.4375, 0\.375\]/,
    );
  });

  it('is refused with TorchScript', () => {
    const script = fileURLToPath(new URL('../../../../test/golden/torchscript/traced.pt', import.meta.url));
    refuses(() => readInitialWeights(script), /weights for --init but received .*It is TorchScript/);
  });
});

describe('satin', () => {
  const images = Array.from({ length: 12 * 64 }, (_, at) => (at * 37) % 256);
  writeFileSync(join(temporary, 't10k-images-idx3-ubyte'), idx([12, 8, 8], images));
  writeFileSync(
    join(temporary, 't10k-labels-idx1-ubyte'),
    idx(
      [12],
      images.slice(0, 12).map((_, at) => at % 10),
    ),
  );
  const said = ['--architecture', 'resnet8', '--activation', 'relu', '--width', '0.0625'];
  const whole = [...said, '--classes', '3', '--shape', '3x8x8'];

  it('export brings weights here once, tells what it left out, and overwrites nothing', () => {
    const out = join(temporary, 'told.safetensors');
    const words = [file('wrapped.pt'), '--format', 'safetensors', '--out', out, ...whole];
    const first = satin('export', ...words);
    assert.equal(first.status, 0, first.stderr);
    assert.match(
      first.stdout,
      /told\.safetensors is written\.\nLeft out, as no weights of this network: epoch, arch, best, .* and 5 more\.\n/,
    );
    const second = satin('export', ...words);
    assert.equal(second.status, 2);
    assert.match(second.stderr, /a file that does not exist yet for --out/);
  });

  it('refuses what it cannot read, before the engine is loaded, and writes nothing', () => {
    const out = join(temporary, 'none.safetensors');
    const says = (words: readonly string[], sentence: RegExp) => {
      const { status, stderr } = satin(...words);
      assert.match(stderr, sentence);
      assert.equal(status, 2, stderr);
    };
    const write = ['--format', 'safetensors', '--out', out];
    says(['export', file('attack.pt'), ...write, ...whole], /pickle names posix\.system/);
    says(['export', file('tiny.pt'), ...write], /it holds weights without a network/);
    says(['export', file('tiny.pt'), '--format', 'onnx'], /onnx/);
    says(['predict', file('tiny.pt'), 'none.png'], /none\.png|weights without a network/);
    says(['train', 'fashion-mnist-silu', '--new-head'], /--init for --new-head/);
    assert.ok(!existsSync(out));
  });

  it('evaluate measures them as they are, and keeps an evaluation only of what says what it is', () => {
    const grey = join(temporary, 'grey.safetensors');
    using model = Model.create(
      { ...form, classes: [...'0123456789'], shape: [1, 8, 8], normalise: null },
      { seed: 3 },
    );
    writeFileSync(grey, encodeSafetensors(toArrays(model.network.state()), { format: 'pt' }));
    const common = [
      grey,
      ...said,
      '--classes',
      '10',
      '--shape',
      '1x8x8',
      '--data',
      'mnist',
      '--data-dir',
      temporary,
    ];
    const threat = ['--norm', 'linf', '--epsilon', '0.1', '--attack', 'fgsm', '--threads', '1'];
    const { status, stdout, stderr } = satin('evaluate', ...common, ...threat, '--json', '-');
    assert.equal(status, 0, stderr);
    const result = JSON.parse(stdout) as { examples: number; modelDigest: string };
    assert.equal(result.examples, 12);
    assert.match(result.modelDigest, /^sha256:/);
    const kept = satin('evaluate', ...common, ...threat, '--save-adversarial', join(temporary, 'kept'));
    assert.equal(kept.status, 2);
    assert.match(kept.stderr, /Say once what they are: \.\/satin export/);
  });
});
