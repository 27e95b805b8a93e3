/** The folder of a new evaluation is reserved before anything that takes long, and left as it was if nothing came of it. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { InputError } from '../../../src/errors.js';
import { newEvaluationFolder } from '../../../src/evaluation/folder/new-folder.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-new-folder-'));
after(() => rmSync(folder, { recursive: true }));

describe('a reserved folder', () => {
  it('is locked against a second evaluation until it is released', () => {
    const path = join(folder, 'locked');
    const first = newEvaluationFolder(path);
    assert.throws(() => newEvaluationFolder(path), InputError);
    first[Symbol.dispose]();
    newEvaluationFolder(path)[Symbol.dispose]();
  });

  it('is gone where nothing was created in it', () => {
    const path = join(folder, 'outer', 'unused');
    const reserved = newEvaluationFolder(path);
    assert.deepEqual(readdirSync(path), ['lock']);
    reserved[Symbol.dispose]();
    reserved[Symbol.dispose]();
    assert.equal(existsSync(join(folder, 'outer')), false);
  });

  it('stays where it was there before, empty', () => {
    const path = join(folder, 'empty');
    mkdirSync(path);
    newEvaluationFolder(path)[Symbol.dispose]();
    assert.deepEqual(readdirSync(path), []);
  });

  it('is refused, and untouched, where something is in it', () => {
    const path = join(folder, 'used');
    mkdirSync(path);
    writeFileSync(join(path, 'notes.txt'), 'mine');
    assert.throws(
      () => newEvaluationFolder(path),
      (error) =>
        error instanceof InputError && /empty or does not exist yet for `folder`/.test(error.message),
    );
    assert.deepEqual(readdirSync(path), ['notes.txt']);
  });

  it('takes over what a process left that was killed before the manifest', () => {
    const path = join(folder, 'early');
    mkdirSync(path);
    writeFileSync(join(path, 'originals.safetensors'), '');
    newEvaluationFolder(path)[Symbol.dispose]();
    assert.deepEqual(readdirSync(path), ['originals.safetensors']);
  });
});
