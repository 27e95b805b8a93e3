import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { fileDigest } from '../../src/files/digest.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-digest-'));
after(() => rmSync(folder, { recursive: true }));

it('a file has the digest of its bytes, however many pieces it is read in', () => {
  const path = join(folder, 'bytes');
  for (const length of [0, 1, 2 ** 20, 2 ** 21 + 5]) {
    const bytes = Buffer.alloc(length, 'satin');
    writeFileSync(path, bytes);
    assert.equal(fileDigest(path), `sha256:${createHash('sha256').update(bytes).digest('hex')}`);
  }
});

it('a file that is not there is no file with a digest', () => {
  assert.throws(() => fileDigest(join(folder, 'none')), /ENOENT/);
});
