import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { packTar } from 'modern-tar';
import { tarEntries } from '../../../src/data/imagenet/tar-entries.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-tar-'));
after(() => rmSync(folder, { recursive: true }));

/** The files of an archive with their bytes. */
async function read(bytes: Uint8Array): Promise<(readonly [string, string])[]> {
  const path = join(folder, 'a.tar');
  writeFileSync(path, bytes);
  const file = await open(path);
  try {
    const found = [];
    for await (const { name, offset, size } of tarEntries(file, 'a.tar'))
      found.push([name, Buffer.from(bytes.subarray(offset, offset + size)).toString()] as const);
    return found;
  } finally {
    await file.close();
  }
}

const files: readonly (readonly [string, string])[] = [
  ['a.txt', 'first'],
  ['empty', ''],
  [`${'deep/'.repeat(40)}b.txt`, 'x'.repeat(5000)],
  ['ünï.txt', 'last'],
];
const archive = await packTar(
  files.map(([name, body]) => ({ header: { name, size: Buffer.byteLength(body) }, body })),
);

/** A header of 512 bytes with its checksum. */
function header(name: string | Buffer, size: number | string | Buffer, kind: string): Buffer {
  const block = Buffer.alloc(512);
  Buffer.from(name).copy(block);
  Buffer.from(typeof size === 'number' ? size.toString(8).padStart(11, '0') : size).copy(block, 124);
  block.write(kind, 156);
  block.write('        ', 148);
  block.write(
    `${block
      .reduce((sum, byte) => sum + byte)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  );
  return block;
}
const padded = (text: string) =>
  Buffer.concat([Buffer.from(text), Buffer.alloc((512 - (text.length % 512)) % 512)]);

it('every file is found with its bytes, long names and empty files too', async () => {
  assert.deepEqual(await read(archive), files);
});

it('a long name in the form of GNU is read, and folders are left out', async () => {
  const name = 'n'.repeat(200);
  const parts = [header('././@LongLink', 201, 'L'), padded(`${name}\0`), header('n', 2, '0'), padded('ok')];
  const end = Buffer.alloc(1024);
  assert.deepEqual(await read(Buffer.concat([header('dir/', 0, '5'), ...parts, end])), [[name, 'ok']]);
});

it('an archive that is cut short, damaged or none is refused', async () => {
  await assert.rejects(read(archive.subarray(0, 700)), /cut short after 700 bytes/);
  await assert.rejects(read(header('a', 600, '0')), /cut short after 512 bytes, within a/);
  await assert.rejects(
    read(Buffer.alloc(0)),
    /cut short after 0 bytes, without an end before its first file/,
  );
  const damaged = Buffer.from(archive);
  damaged[3]! ^= 1;
  await assert.rejects(read(damaged), /a header that is none at byte 0/);
});

it('a size that is no number of bytes is refused, at once', async () => {
  for (const size of [
    '-0000001000',
    '0000009',
    '0x10',
    '1e3',
    Buffer.alloc(12, 0xff),
    Buffer.concat([Buffer.from([0x80]), Buffer.alloc(11, 0xff)]),
  ])
    await assert.rejects(
      read(Buffer.concat([header('a', size, '0'), Buffer.alloc(2048)])),
      /a header that is none at byte 0/,
      String(size),
    );
  await assert.rejects(
    read(Buffer.concat([header('x', 2 ** 21, 'x'), Buffer.alloc(2 ** 21 + 1024)])),
    /a header that is none at byte 0/,
  );
  // Lengths of fields in a pax header that would not advance, or go back.
  for (const field of ['0 path=b\n', '-9 path=b\n', '0.00001 path=b\n', 'x path=b\n', '12 size=-512\n'])
    assert.deepEqual(
      await read(
        Buffer.concat([
          header('x', field.length, 'x'),
          padded(field),
          header('a', 2, '0'),
          padded('ok'),
          Buffer.alloc(1024),
        ]),
      ),
      [['a', 'ok']],
    );
});

it('names that are not UTF-8 stay different', async () => {
  const name = (byte: number) => Buffer.from([0x61, byte]);
  const entries = [0xe8, 0xe9].flatMap((byte) => [header(name(byte), 2, '0'), padded('ok')]);
  assert.deepEqual(await read(Buffer.concat([...entries, Buffer.alloc(1024)])), [
    ['a\u00e8', 'ok'],
    ['a\u00e9', 'ok'],
  ]);
});
