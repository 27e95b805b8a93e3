import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { exists, readExisting, readMaybeGzipped } from '../../src/data/read-file.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-read-file-'));
after(() => rmSync(folder, { recursive: true }));
const bytes = Buffer.from('some bytes, and some more of them');
const zipped = gzipSync(bytes);

function file(name: string, content: Uint8Array): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

it('the content decides whether a file is unpacked, not its name', async () => {
  assert.deepEqual(Buffer.from(await readMaybeGzipped(file('a.gz', bytes))), bytes);
  assert.deepEqual(Buffer.from(await readMaybeGzipped(file('b', zipped))), bytes);
  assert.deepEqual(Buffer.from(await readExisting(file('c', zipped))), zipped);
  assert.equal((await readMaybeGzipped(file('empty', Buffer.alloc(0)))).length, 0);
});

it('a file that is missing, cut short or damaged is named', async () => {
  await assert.rejects(
    readExisting(join(folder, 'none')),
    /a file that can be read for .*none but received no file\./,
  );
  await assert.rejects(readExisting(folder), /but received EISDIR/);
  await assert.rejects(
    readMaybeGzipped(file('cut', zipped.subarray(0, 20))),
    /cut but received one cut short after 20 bytes/,
  );
  const damaged = Buffer.from(zipped);
  damaged[damaged.length - 1]! ^= 1;
  await assert.rejects(readMaybeGzipped(file('damaged', damaged)), /received a damaged one/);
});

it('a file is there or not', async () => {
  assert.deepEqual([await exists(folder), await exists(join(folder, 'none'))], [true, false]);
});
