import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fromBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from '../../src/onnx/generated/onnx_pb.js';
import { writeCheckpoint } from '../../src/runs/checkpoint.js';
import { createRunFolder } from '../../src/runs/run-folder.js';
import { toArrays } from '../../src/weights/module-weights.js';
import { lively } from '../support/lively-model.js';
import { description } from '../support/onnx-comparison.js';
import { folder, manifest, time } from '../support/run-folders.js';
import { satin } from '../support/tiny-run.js';

const temporary = mkdtempSync(join(tmpdir(), 'satin-export-onnx-'));
after(() => rmSync(temporary, { recursive: true }));

const run = join(folder, 'run');
using model = lively(description);
const recipe = { name: 'a', data: { name: 'folder', dir: '/home/somebody/photos' } };
using opened = createRunFolder({ path: run, recipe, manifest });
const weights = toArrays(model.network.state());
const measured = { 'validation/robust/linf-8-255/pgd-10': 0.44, 'validation/clean': 0.8 };
opened.appendEvent({
  type: 'epoch',
  time,
  epoch: 1,
  step: 3,
  seconds: 1,
  measurements: { 'validation/clean': 0.5 },
});
opened.appendEvent({ type: 'epoch', time, epoch: 2, step: 6, seconds: 1, measurements: measured });
const { weightsDigest } = writeCheckpoint({
  run,
  name: 'best',
  step: 6,
  model: description,
  weights,
  state: {},
});

describe('satin export --format onnx', () => {
  it('writes the network and its input gradient, which say what they are', () => {
    const out = join(temporary, 'network.onnx');
    const ended = satin(
      'export',
      run,
      '--format',
      'onnx',
      '--fold',
      '--input-gradient',
      'margin',
      '--out',
      out,
    );
    assert.equal(ended.status, 0, ended.stderr);
    const second = join(temporary, 'network.gradient.onnx');
    assert.equal(ended.stdout, `Wrote ${out}.\nWrote ${second}.\n`);
    for (const file of [out, second]) {
      const { metadataProps, opsetImport, graph } = fromBinary(ModelProtoSchema, readFileSync(file));
      const metadata = new Map(metadataProps.map(({ key, value }) => [key, value]));
      assert.deepEqual(
        [...metadata.keys()],
        ['satin', 'model', 'digest', 'input', 'classes', 'recipe', 'measurements'],
      );
      assert.equal(metadata.get('digest'), weightsDigest);
      assert.equal(metadata.get('input'), 'images [N, 3, 8, 8], pixels in [0, 1]');
      assert.deepEqual(JSON.parse(metadata.get('classes')!), ['a', 'b', 'c']);
      assert.deepEqual(JSON.parse(metadata.get('recipe')!), { name: 'a', data: { name: 'folder' } });
      assert.deepEqual(JSON.parse(metadata.get('measurements')!), measured);
      assert.equal(opsetImport[0]!.version, 22n);
      assert.ok(!graph!.node.some(({ opType }) => opType === 'BatchNormalization'));
    }
  });

  it('overwrites nothing', () => {
    const out = join(temporary, 'other.onnx');
    const second = join(temporary, 'other.gradient.onnx');
    writeFileSync(second, 'mine');
    const ended = satin('export', run, '--format', 'onnx', '--input-gradient', 'cross-entropy', '--out', out);
    assert.equal(ended.status, 2);
    assert.match(
      ended.stderr,
      /a file that does not exist yet for --out but received '.*other\.gradient\.onnx'/,
    );
    assert.equal(readFileSync(second, 'utf8'), 'mine');
    assert.ok(!existsSync(out));
  });

  for (const [words, message] of [
    [['--fold'], /the format onnx for `?--fold`? but received 'torchscript'/],
    [['--input-gradient', 'margin'], /the format onnx for `?--input-gradient`? but received 'torchscript'/],
  ] as const)
    it(`is alone in taking ${words[0]}`, () => {
      const out = join(temporary, 'script.pt');
      const ended = satin('export', run, '--format', 'torchscript', ...words, '--out', out);
      assert.equal(ended.status, 2);
      assert.match(ended.stderr, message);
      assert.ok(!existsSync(out));
    });
});
