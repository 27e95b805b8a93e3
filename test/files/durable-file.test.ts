import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { InputError } from '../../src/errors.js';
import {
  removeTemporaryFiles,
  type WriteBytes,
  writeFileDurably,
  writeJsonDurably,
  writeNewFileDurably,
} from '../../src/files/durable-file.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-durable-'));
after(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'file');
const parts = [Buffer.from('first '), Buffer.from(''), Buffer.from('second')];
const failure = (code: string) => Object.assign(new Error(code), { code });

it('all parts stand in the file in order, though each call takes a few bytes only', () => {
  const threeAtATime: WriteBytes = (file, bytes) => writeSync(file, bytes.subarray(0, 3));
  writeFileDurably(path, parts, threeAtATime);
  assert.equal(readFileSync(path, 'utf8'), 'first second');
  writeJsonDurably(path, { a: [1] });
  assert.equal(readFileSync(path, 'utf8'), '{\n  "a": [\n    1\n  ]\n}\n');
});

it('a write that fails leaves the old file, and nothing beside it', () => {
  writeFileDurably(path, [Buffer.from('old')]);
  let calls = 0;
  const failing: WriteBytes = (file, bytes) => {
    if (++calls > 1) throw failure('ENOSPC');
    return writeSync(file, bytes);
  };
  assert.throws(
    () => writeFileDurably(path, parts, failing),
    (error) => error instanceof InputError && error.code === 'disk-full' && error.message.includes(path),
  );
  assert.equal(readFileSync(path, 'utf8'), 'old');
  assert.deepEqual(readdirSync(folder), ['file']);
});

it('a new file is whole, and never takes the place of another', () => {
  const fresh = join(folder, 'fresh');
  writeNewFileDurably(fresh, parts);
  assert.equal(readFileSync(fresh, 'utf8'), 'first second');
  assert.throws(() => writeNewFileDurably(fresh, [Buffer.from('other')]), /fresh but it exists already/);
  assert.equal(readFileSync(fresh, 'utf8'), 'first second');
  assert.deepEqual(readdirSync(folder).sort(), ['file', 'fresh']);
  rmSync(fresh);
});

it('what a killed process left is removed, and nothing else', () => {
  for (const name of ['a.tmp', 'b.json']) writeFileSync(join(folder, name), '');
  removeTemporaryFiles(folder);
  assert.deepEqual(readdirSync(folder).sort(), ['b.json', 'file']);
});
