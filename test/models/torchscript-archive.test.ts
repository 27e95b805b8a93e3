import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { InputError } from '../../src/errors.js';
import { requireWholePickles } from '../../src/models/torchscript-archive.js';

const folder = fileURLToPath(new URL('../../../test/golden/torchscript/', import.meta.url));
const temporary = mkdtempSync(join(tmpdir(), 'satin-torchscript-archive-'));
after(() => rmSync(temporary, { recursive: true }));

it('takes every file that PyTorch saved', () => {
  const files = readdirSync(folder).filter((name) => name.endsWith('.pt'));
  assert.ok(files.length >= 3, String(files));
  for (const name of files) requireWholePickles(join(folder, name));
});

it('refuses a pickle with one bit changed, by its name, and leaves what is no archive to libtorch', () => {
  const bytes = readFileSync(join(folder, 'scripted.pt'));
  const local = bytes.indexOf('/data.pkl');
  const pickle = bytes.indexOf(Buffer.of(0x80, 2), local);
  assert.ok(local > 0 && pickle > local);
  bytes[pickle + 20]! ^= 4;
  const path = join(temporary, 'damaged.pt');
  writeFileSync(path, bytes);
  assert.throws(
    () => requireWholePickles(path),
    (error) =>
      error instanceof InputError && /its .*data\.pkl does not match its checksum\.$/.test(error.message),
  );
  writeFileSync(path, 'no archive');
  requireWholePickles(path);
});
