import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseDerivative } from '../../../src/activations/parse.js';
import { functionModel, openModel } from '../../../src/app/model/open-model.js';
import { memoryInfo, setThreads } from '../../../src/engine/engine-info.js';
import type { InputError } from '../../../src/errors.js';
import { modelKind } from '../../../src/models/model-kind.js';
import { readCheckpoint, writeWeights } from '../../../src/runs/checkpoint.js';
import { noise } from '../../../src/tensor/noise.js';
import { scope } from '../../../src/tensor/scope.js';

setThreads(1);

const folder = fileURLToPath(new URL('../../../../test/golden/torchscript/', import.meta.url));
const file = (name: string) => join(folder, name);
const own = openModel(file('resnet8.safetensors'));
const normalise = { mean: [0.5, 0.45], std: [0.25, 0.2] };
const input = { range: [0, 1], normalise } as const;
const traced = openModel(file('traced.pt'), { preprocessing: input });
const scripted = openModel(file('scripted.pt'), { preprocessing: input });
const temporary = mkdtempSync(join(tmpdir(), 'satin-torchscript-'));
after(() => {
  for (const model of [own, traced, scripted]) model[Symbol.dispose]();
  rmSync(temporary, { recursive: true });
});

const draw = (shape: readonly [number, ...number[]]) =>
  noise('uniform', {
    key: { seed: 3, stream: 'bench' },
    ids: Array.from({ length: shape[0] }, (_, id) => id),
    shape: shape.slice(1),
  });

describe('a model that is opened', () => {
  it('has the name, the digest of its file, and nothing that the file does not say', () => {
    assert.equal(traced.name, file('traced.pt'));
    assert.match(traced.digest, /^sha256:[0-9a-f]{64}$/);
    assert.notEqual(traced.digest, scripted.digest);
    assert.deepEqual([traced.shape, traced.classes, traced.preprocessing], [null, null, input]);
    assert.equal(own.preprocessing, null);
    using plain = openModel(file('traced.pt'));
    assert.deepEqual(plain.preprocessing, { range: [0, 1], normalise: null });
    const form = traced.forAttacks();
    scope(() => {
      const x = draw([2, 2, 8, 8]);
      assert.deepEqual(form.classify(x).numbers(), traced.classify(x).numbers());
    });
    form[Symbol.dispose]();
  });

  it('is known by its content, whatever its name', () => {
    for (const name of ['model.bin', 'model.safetensors', 'model.json']) {
      copyFileSync(file('traced.pt'), join(temporary, name));
      assert.equal(modelKind(join(temporary, name)), 'torchscript');
    }
    assert.equal(modelKind(file('resnet8.safetensors')), 'satin');
    assert.equal(modelKind(temporary), 'satin');
  });

  it('has no other activation’s derivative where it is no model of Satin', () => {
    for (const model of [traced, functionModel({ name: 'f', classify: own.classify })])
      assert.throws(
        () => model.forAttacks({ derivative: parseDerivative('softplus(10)') }),
        (error: InputError) =>
          error.exitCode === 2 && /`surrogates`.*the derivative of softplus\(10\)\.$/.test(error.message),
      );
  });

  it('is refused before anything of its size is made, where it describes more than it holds', () => {
    const large = join(temporary, 'large.safetensors');
    const described = readCheckpoint({ path: file('resnet8.safetensors') }).model;
    const cases: readonly (readonly [width: number, sentence: RegExp])[] = [
      [300, /Expected the weights of this network in .*large\.safetensors but \d+ are missing/],
      [1e6, /Expected at most \d+ for the width but received 1000000/],
      [1e300, /Expected at most \d+ for the width/],
    ];
    const before = memoryInfo();
    for (const [width, sentence] of cases) {
      writeWeights(large, { model: { ...described, width }, weights: [] });
      assert.throws(
        () => openModel(large),
        (error: InputError) => error.exitCode === 2 && sentence.test(error.message),
      );
    }
    const { liveTensors, peakBytes } = memoryInfo();
    assert.equal(liveTensors, before.liveTensors);
    assert.ok(peakBytes - before.peakBytes < 1e6, `${peakBytes - before.peakBytes} bytes`);
  });

  it('of Satin takes no input form: its normalisation is its first layer', () => {
    assert.throws(
      () => openModel(file('resnet8.safetensors'), { preprocessing: input }),
      /its normalisation is its first layer/,
    );
  });
});
