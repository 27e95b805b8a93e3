import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { BrokenImage } from '../../src/data/raw-image.js';
import { exists, readExisting, readImageFile, readMaybeGzipped } from '../../src/data/read-file.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-read-file-'));
after(() => rmSync(folder, { recursive: true }));
const bytes = Buffer.from('some bytes, and some more of them');
const zipped = gzipSync(bytes);
const any = () => 1000;
const long = Buffer.from('many bytes '.repeat(100));

function file(name: string, content: Uint8Array): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

it('the content decides whether a file is unpacked, not its name', async () => {
  assert.deepEqual(Buffer.from(await readMaybeGzipped(file('a.gz', bytes), any)), bytes);
  assert.deepEqual(Buffer.from(await readMaybeGzipped(file('b', zipped), any)), bytes);
  assert.deepEqual(Buffer.from(await readExisting(file('c', zipped))), zipped);
  assert.equal((await readMaybeGzipped(file('empty', Buffer.alloc(0)), any)).length, 0);
});

it('a file that is missing, cut short or damaged is named', async () => {
  await assert.rejects(
    readExisting(join(folder, 'none')),
    /a file that can be read for .*none but received no file\./,
  );
  await assert.rejects(readExisting(folder), /but received EISDIR/);
  await assert.rejects(
    readMaybeGzipped(file('cut', zipped.subarray(0, 20)), any),
    /cut but received one cut short after 20 bytes/,
  );
  const damaged = Buffer.from(zipped);
  damaged[damaged.length - 1]! ^= 1;
  await assert.rejects(readMaybeGzipped(file('damaged', damaged), any), /received a damaged one/);
});

it('decompression stops at what the file can mean', async () => {
  const seen: string[] = [];
  const sizeOf = (size: number) => (start: Uint8Array) => {
    seen.push(Buffer.from(start).toString());
    return size;
  };
  const packed = gzipSync(long);
  assert.deepEqual(Buffer.from(await readMaybeGzipped(file('fits', packed), sizeOf(1100))), long);
  assert.deepEqual(seen, [long.toString().slice(0, 512)]);
  await assert.rejects(
    readMaybeGzipped(file('long', packed), sizeOf(1099)),
    /at most 1,099 bytes once it is unpacked for .*long but received more/,
  );
  // 2 MiB that unpack to 2 GiB.
  const bomb = gzipSync(Buffer.alloc(2 ** 24));
  const many = file('bomb', Buffer.concat(Array.from({ length: 128 }, () => bomb)));
  const before = process.memoryUsage().rss;
  await assert.rejects(readMaybeGzipped(many, sizeOf(1000)), /at most 1,000 bytes/);
  assert.ok(process.memoryUsage().rss - before < 2 ** 28);
  assert.equal((await readMaybeGzipped(file('claims', packed), sizeOf(2 ** 40))).length, 1100);
});

it('an image is a regular file', async () => {
  assert.deepEqual(Buffer.from(await readImageFile(file('image', bytes))), bytes);
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  for (const [path, reason] of [
    [pipe, /no regular file/],
    [folder, /no regular file/],
    ['/dev/zero', /no regular file/],
    [join(folder, 'none'), /^no file$/],
  ] as const)
    await assert.rejects(readImageFile(path), (error) => {
      assert.ok(error instanceof BrokenImage);
      assert.match(error.message, reason);
      return true;
    });
});

it('a file is there or not', async () => {
  assert.deepEqual([await exists(folder), await exists(join(folder, 'none'))], [true, false]);
});
