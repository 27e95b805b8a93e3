import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { makeFolder } from '../../src/files/make-folder.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-make-'));
after(() => rmSync(folder, { recursive: true }));

it('a folder is made with its parents, of which the outermost new one is told', () => {
  const path = join(folder, 'a', 'b', 'c');
  assert.equal(makeFolder(path), join(folder, 'a'));
  assert.ok(existsSync(path));
  assert.equal(makeFolder(path), undefined);
});

it('a folder that cannot be made is named, with the reason', () => {
  writeFileSync(join(folder, 'file'), '');
  assert.throws(
    () => makeFolder(join(folder, 'file', 'b')),
    /file\/b but a part of its path is no folder\.$/,
  );
  assert.throws(() => makeFolder(join(folder, 'file')), /file but it exists already\.$/);
  assert.throws(() => makeFolder(join(folder, 'n'.repeat(300), 'b')), /but its name is too long\.$/);
  // A file system without folders to be made, also for root.
  assert.throws(
    () => makeFolder('/proc/nowhere/b'),
    /^InputError: Expected to write \/proc\/nowhere\/b but /,
  );
});
