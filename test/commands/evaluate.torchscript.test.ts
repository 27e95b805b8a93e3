/** Networks in PyTorch's files, measured on the command line. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { idx, satin } from '../support/tiny-run.js';

const folder = fileURLToPath(new URL('../../../test/golden/torchscript/', import.meta.url));
const file = (name: string) => join(folder, name);
const temporary = mkdtempSync(join(tmpdir(), 'satin-torchscript-'));
after(() => rmSync(temporary, { recursive: true }));

describe('satin evaluate', () => {
  const images = Array.from({ length: 12 * 64 }, (_, at) => (at * 37) % 256);
  writeFileSync(join(temporary, 't10k-images-idx3-ubyte'), idx([12, 8, 8], images));
  writeFileSync(
    join(temporary, 't10k-labels-idx1-ubyte'),
    idx(
      [12],
      Array.from({ length: 12 }, (_, at) => at % 10),
    ),
  );
  const common = [
    '--data',
    'mnist',
    '--data-dir',
    temporary,
    '--norm',
    'linf',
    '--epsilon',
    '0.1',
    '--threads',
    '1',
  ];
  const says = (words: readonly string[], sentence: RegExp) => {
    const { status, stderr } = satin('evaluate', ...words);
    assert.match(stderr, sentence);
    assert.equal(status, 2, stderr);
  };

  it('refuses with a sentence and exit code 2 what is no TorchScript file, and what takes another shape', () => {
    says([file('state-dict.pt'), ...common], /Expected --architecture.*weights without a network/);
    says([file('flat-28.pt'), ...common], /on images of shape \[12, 1, 8, 8\] but mat1 and mat2/);
    says([file('one-class.pt'), ...common], /at least two classes/);
  });

  it('needs data, norm and radius for a file, and takes no input form for a model of Satin', () => {
    says([file('traced.pt')], /--norm.*TorchScript files do not/);
    says([file('resnet8.safetensors'), ...common, '--mean', '0', '--std', '1'], /It is a model of Satin/);
    says([file('traced.pt'), ...common, '--input-range', '0,2'], /--input-range/);
    says(
      [file('traced.pt'), ...common, '--mean', '0.1,0.1,0.1', '--std', '1,1,1'],
      /1 numbers, one per channel/,
    );
  });

  it('has golden files of no other machine', () => {
    for (const name of readdirSync(folder))
      assert.doesNotMatch(readFileSync(file(name), 'latin1'), /\/(work|tmp|root|home|site-packages)\//, name);
  });
});
