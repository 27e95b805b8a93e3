/** The one place where a model's file is read, and refused for what it is. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { openModel } from '../../../src/app/model/open-model.js';
import { readModelFile } from '../../../src/app/model/read-model-file.js';
import { isLoaded } from '../../../src/engine/native.js';
import { InputError } from '../../../src/errors.js';
import { noPreprocessing } from '../../../src/models/preprocessing.js';
import { encodeSafetensors } from '../../../src/weights/safetensors.js';
import { file, form, refuses, tiny } from '../../support/foreign-weights.js';
import { prefixOf } from '../../support/tensorflow-checkpoints.js';

const temporary = mkdtempSync(join(tmpdir(), 'satin-model-file-'));
after(() => rmSync(temporary, { recursive: true }));

describe("a model's file", () => {
  it('is refused where weights come without a network, or a description where none is wanted', () => {
    const plain = join(temporary, 'plain.safetensors');
    writeFileSync(plain, encodeSafetensors(tiny.arrays, { format: 'pt' }));
    for (const path of [plain, file('tiny.pt')])
      assert.throws(
        () => readModelFile(path),
        (error) =>
          error instanceof InputError &&
          error.code === 'weights-without-network' &&
          /Expected `external` for .*: it holds weights without a network/.test(error.message),
      );
    const own = file('tiny.safetensors');
    refuses(() => readModelFile(own, { external: form }), /This file describes its own network/);
    refuses(() => readModelFile(own, { entry: 'ema' }), /for `entry` .*This file describes its own network/);
    refuses(() => readModelFile(own, { preprocessing: noPreprocessing }), /It is a model of Satin/);
    assert.equal(isLoaded(), false);
  });

  it('is told apart by its content, not its name', () => {
    const own = join(temporary, 'own.pt');
    copyFileSync(file('tiny.safetensors'), own);
    assert.equal(readModelFile(own).kind, 'satin');
    const plain = join(temporary, 'plain.bin');
    writeFileSync(plain, encodeSafetensors(tiny.arrays, { format: 'pt' }));
    const read = readModelFile(plain, { external: form });
    assert.ok(read.kind === 'weights');
    assert.equal(read.weights.arrays.length, tiny.arrays.length);
    const torch = join(temporary, 'torch.safetensors');
    copyFileSync(file('tiny.pt'), torch);
    assert.equal(readModelFile(torch, { external: form }).kind, 'weights');
  });

  it('that holds a whole network is refused before its network is asked for', () => {
    for (const options of [{}, { external: form }])
      assert.throws(
        () => readModelFile(file('module.pt'), options),
        (error) => error instanceof InputError && error.code === 'pickle-refused',
      );
  });

  it('that Satin does not read is named, with the way to one that it reads', () => {
    const onnx = join(temporary, 'net.onnx');
    writeFileSync(onnx, Buffer.from('0808120770', 'hex'));
    refuses(() => readModelFile(onnx), /It is an ONNX file, .*onnx2torch.*torch\.jit\.trace/);
    const hugging = join(temporary, 'hugging');
    mkdirSync(hugging);
    writeFileSync(join(hugging, 'config.json'), '{}');
    writeFileSync(join(hugging, 'model.safetensors'), encodeSafetensors(tiny.arrays));
    refuses(() => readModelFile(hugging), /It is a folder of Hugging Face, .*logits.*torch\.jit\.trace/);
  });

  it('of a released model needs its name and nothing else', () => {
    const path = prefixOf('resnet50-silu');
    const read = readModelFile(path, { released: 'res50-silu-299' });
    assert.ok(read.kind === 'weights');
    assert.deepEqual(read.preprocessing, { range: [-1, 1], normalise: null });
    const { classes, ...description } = read.description;
    assert.equal(classes.length, 1000);
    assert.deepEqual(description, {
      architecture: 'resnet50',
      width: 1,
      activation: 'silu',
      shape: [3, 299, 299],
      padding: 'same',
      transform: { resize: 331, filter: 'opencv-cubic', centre: 'tensorpack' },
    });
    refuses(() => readModelFile(path), /Expected `external`, or `released` for a model of the paper, for/);
    refuses(
      () => readModelFile(path, { released: 'res50-silu', external: form }),
      /no `external` for the released model res50-silu .* Its name says everything about it/,
    );
    refuses(
      () => readModelFile(path, { released: 'res50-silu', entry: 'raw' }),
      /no `entry` for the released model/,
    );
    refuses(() => readModelFile(path, { released: 'efficientnet-l1-enhanced' }), /holds no moving averages/);
    refuses(() => readModelFile(`${path}.index`), /Name the checkpoint: .*resnet50-silu\.$/);
    refuses(
      () => readModelFile(file('tiny.safetensors'), { released: 'res50-silu' }),
      /This file describes its own network/,
    );
    assert.equal(isLoaded(), false);
  });

  it('is read once: opened, the model needs the file no more', () => {
    const path = join(temporary, 'once.safetensors');
    copyFileSync(file('tiny.safetensors'), path);
    const read = readModelFile(path);
    rmSync(path);
    assert.ok(read.kind === 'satin');
    using model = openModel(read);
    assert.deepEqual([model.name, model.digest], [path, read.checkpoint.weightsDigest]);
    assert.deepEqual(model.classes, ['a', 'b', 'c']);
  });
});
