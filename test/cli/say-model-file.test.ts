import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { sayModelFile } from '../../src/cli/say-model-file.js';
import { noPreprocessing } from '../../src/models/preprocessing.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-say-'));

after(() => rmSync(folder, { recursive: true }));

describe('what is said of a model file before it is loaded', () => {
  /** What is said of a TorchScript file of that many bytes, none of which is written. */
  const said = (name: string, bytes: number) => {
    const path = join(folder, name);
    writeFileSync(path, '');
    truncateSync(path, bytes);
    const sentences: string[] = [];
    const form = { shape: null, classes: null };
    sayModelFile(
      { path, kind: 'torchscript', preprocessing: noPreprocessing, form, isStated: false },
      (sentence) => sentences.push(sentence.replace(path, name)),
    );
    return sentences;
  };

  it('is that a program is one, and of a large file that it is being loaded', () => {
    const program = (name: string) =>
      `${name} is a program: before any of it runs, it is refused if it could do more than compute.`;
    assert.deepEqual(said('small.pt', 3e8), [program('small.pt')]);
    assert.deepEqual(said('large.pt', 1.93e9), [program('large.pt'), 'Loading large.pt (1.9 GB).']);
  });
});
