import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { zipRecords } from '../../src/weights/zip.js';

const temporary = mkdtempSync(join(tmpdir(), 'satin-state-dict-'));
after(() => rmSync(temporary, { recursive: true }));

/** A file with these bytes. */
function written(name: string, bytes: Uint8Array): string {
  const path = join(temporary, name);
  writeFileSync(path, bytes);
  return path;
}

describe('the directory of a zip archive', () => {
  it('is null where there is none', () => {
    assert.equal(zipRecords(written('empty.zip', new Uint8Array(0))), null);
    assert.equal(zipRecords(written('zeros.zip', new Uint8Array(100))), null);
  });
});
