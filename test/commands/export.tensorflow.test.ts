/** A checkpoint of TensorFlow on the command line: exported once, evaluated as it is, refused where it does not fit. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import sharp from 'sharp';
import { openModel } from '../../src/app/model/open-model.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { readCheckpoint } from '../../src/runs/checkpoint.js';
import { tensor } from '../../src/tensor/create.js';
import { noGrad } from '../../src/tensor/gradient.js';
import { scope } from '../../src/tensor/scope.js';
import { assertClose } from '../support/close.js';
import { checkpointNamed, imageOf, prefixOf } from '../support/tensorflow-checkpoints.js';
import { satin } from '../support/tiny-run.js';

setThreads(1);
const temporary = mkdtempSync(join(tmpdir(), 'satin-export-tensorflow-'));
after(() => rmSync(temporary, { recursive: true }));

describe('satin, given a checkpoint of TensorFlow,', () => {
  const { name, outputs } = checkpointNamed('resnet50-silu');
  const prefix = prefixOf(name);
  const network = ['--architecture', 'resnet50', '--activation', 'silu', '--width', '0.03125'];
  const data = ['--classes', '10', '--shape', '3x48x48'];
  const described = [...network, ...data, '--padding', 'same', '--input-range', '-1,1'];
  const expected = outputs.find(({ side }) => side === 48)!.logits;

  const logitsOf = (path: string) => {
    using model = openModel(path);
    return scope(() => noGrad(() => model.classify(tensor(imageOf(48), [1, 3, 48, 48])).numbers()));
  };

  it('export writes a file that says how the network is padded and takes RGB in [0, 1]', () => {
    const out = join(temporary, 'model.safetensors');
    const { status, stdout, stderr } = satin(
      'export',
      prefix,
      '--format',
      'safetensors',
      '--out',
      out,
      ...described,
    );
    assert.equal(status, 0, stderr);
    assert.match(stdout, /Skipped, not part of this network: EMA\/xentropy-loss, conv0\/W\/Momentum/);
    const { model } = readCheckpoint({ path: out });
    assert.deepEqual(
      [model.padding, model.normalise],
      ['same', { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] }],
    );
    assertClose(logitsOf(out), expected, { relative: 1e-4, absolute: 1e-4 }, 'logits');
  });

  it('export writes TorchScript with the same logits', () => {
    const out = join(temporary, 'model.pt');
    const words = ['export', prefix, '--format', 'torchscript', '--out', out, ...described];
    const { status, stderr } = satin(...words);
    assert.equal(status, 0, stderr);
    assertClose(logitsOf(out), expected, { relative: 1e-4, absolute: 1e-4 }, 'logits');
  });

  it('evaluate measures it as it is', async () => {
    const images = join(temporary, 'images');
    for (let label = 0; label < 10; label++) {
      const folder = join(images, 'test', `class ${label}`);
      mkdirSync(folder, { recursive: true });
      const pixels = Uint8Array.from(imageOf(48), (pixel) => (pixel * 255 + 20 * label) % 256);
      const raw = { width: 48, height: 48, channels: 3 } as const;
      const file = await sharp(pixels, { raw }).png().toBuffer();
      writeFileSync(join(folder, '0.png'), file);
      mkdirSync(join(images, 'train', `class ${label}`), { recursive: true });
      writeFileSync(join(images, 'train', `class ${label}`, '0.png'), file);
    }
    const threat = ['--norm', 'linf', '--epsilon', '1/255', '--attack', 'pgd-2', '--threads', '1'];
    const source = ['--data', 'folder', '--data-dir', images, '--examples', '10', '--checks', 'quick'];
    const { status, stdout, stderr } = satin(
      'evaluate',
      prefix,
      ...described,
      ...source,
      ...threat,
      '--json',
      '-',
    );
    assert.equal(status, 0, stderr);
    const result = JSON.parse(stdout);
    assert.equal(result.examples, 10);
    assert.match(JSON.stringify(result.model), /resnet50-silu/);
  });

  it('refuses what does not fit, and writes nothing', () => {
    const out = join(temporary, 'none.safetensors');
    const write = ['--format', 'safetensors', '--out', out];
    const says = (words: readonly string[], sentence: RegExp) => {
      const { status, stderr } = satin(...words);
      assert.match(stderr, sentence);
      assert.equal(status, 2, stderr);
    };
    says(['export', prefix, ...write], /or --released for a model of the paper, for .*resnet50-silu/);
    says(['export', prefix, ...write, '--released', 'res51-silu'], /Did you mean 'res50-silu'\?/);
    says(
      ['export', prefix, ...write, '--released', 'Res50-silu', '--classes', '10'],
      /--architecture but nothing was given|no --architecture/,
    );
    says(
      ['export', prefix, ...write, '--released', 'res50-silu'],
      /of another shape \(conv1\.weight has shape \[2, 3, 7, 7\] instead of \[64, 3, 7, 7\]/,
    );
    says(['predict', prefix, 'none.png'], /--released res50-silu --format safetensors|none\.png/);
    says(
      [
        'export',
        prefix,
        ...write,
        '--architecture',
        'resnet18',
        '--activation',
        'relu',
        ...data,
        '--padding',
        'same',
      ],
      /symmetric, as resnet18 is padded, for --padding/,
    );
    assert.ok(!existsSync(out));
  });
});
