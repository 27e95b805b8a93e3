import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { requireEmptyFolder, requireFilePath, requireNewFile } from '../../src/cli/output-file.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-output-'));
after(() => rmSync(folder, { recursive: true }));
const place = (name: string) => join(folder, name);
writeFileSync(place('file'), '');
mkdirSync(place('full'));
writeFileSync(place('full/file'), '');
mkdirSync(place('empty'));

it('a file can be written where its folder is, over another only where that is meant', () => {
  for (const check of [requireFilePath, requireNewFile]) {
    check(place('new'), '--out');
    assert.throws(() => check(place('full'), '--out'), /the path of a file for --out .* It is a folder\./);
    assert.throws(() => check(place('none/new'), '--out'), /a file in an existing folder for --out/);
  }
  requireFilePath(place('file'), '--out');
  assert.throws(() => requireNewFile(place('file'), '--out'), /a file that does not exist yet for --out/);
});

it('a folder that is written to is empty, or not there', () => {
  for (const name of ['empty', 'none']) requireEmptyFolder(place(name), '--out');
  for (const name of ['full', 'file'])
    assert.throws(
      () => requireEmptyFolder(place(name), '--out'),
      /a folder that is empty or does not exist yet for --out/,
    );
});
