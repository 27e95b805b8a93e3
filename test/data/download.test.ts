import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { download } from '../../src/data/download.js';
import { fetchFiles } from '../../src/data/public-files.js';
import { SatinError } from '../../src/errors.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-download-'));
const content = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * 7919) & 255));
const sha256 = `sha256:${createHash('sha256').update(content).digest('hex')}` as const;
const md5 = `md5:${createHash('md5').update(content).digest('hex')}` as const;

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** What the server does with each request in turn (the last answer serves the rest), and the ranges it was asked for. */
let answers: Answer[] = [];
let ranges: (string | undefined)[] = [];
const server = createServer((request, response) => {
  ranges.push(request.headers.range);
  const answer = answers.length > 1 ? answers.shift() : answers[0];
  answer?.(request, response);
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as AddressInfo;
const url = `http://127.0.0.1:${port}/set.gz`;
after(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

const whole: Answer = (_, response) =>
  response.writeHead(200, { 'content-length': content.length }).end(content);

const ranged: Answer = (request, response) => {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (start === 0) return whole(request, response);
  if (start >= content.length) return response.writeHead(416).end();
  return response
    .writeHead(206, {
      'content-range': `bytes ${start}-${content.length - 1}/${content.length}`,
      'content-length': content.length - start,
    })
    .end(content.subarray(start));
};

/** Sends `bytes` from where the request begins, promises the rest, and drops the connection. */
const breaksAfter =
  (bytes: number): Answer =>
  (request, response) => {
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const head = { 'content-length': content.length - start };
    if (start === 0) response.writeHead(200, head);
    else
      response.writeHead(206, {
        ...head,
        'content-range': `bytes ${start}-${content.length - 1}/${content.length}`,
      });
    response.write(content.subarray(start, start + bytes), () => setTimeout(() => response.destroy(), 50));
  };

let targets = 0;
function target(...plan: Answer[]): string {
  answers = plan;
  ranges = [];
  return join(folder, `${targets++}`, 'set.gz');
}

/** A target whose `.part` an earlier try has left. */
function interrupted(part: Uint8Array, ...plan: Answer[]): string {
  const file = target(...plan);
  mkdirSync(join(file, '..'));
  writeFileSync(`${file}.part`, part);
  return file;
}

async function failure(running: Promise<void>, code: string): Promise<string> {
  const error = await running.then(
    () => assert.fail('the download succeeded'),
    (reason) => reason,
  );
  assert.ok(error instanceof SatinError, String(error));
  assert.equal(error.code, code);
  assert.equal(error.exitCode, 1);
  return error.message;
}

test('a file arrives whole under its own name, checked by sha256 or md5, with its progress', async () => {
  for (const digest of [sha256, md5]) {
    const file = target(whole);
    const seen: [number, number | undefined][] = [];
    await download({ url, digest, file, onProgress: (done, total) => seen.push([done, total]) });
    assert.deepEqual(readFileSync(file), content);
    assert.equal(existsSync(`${file}.part`), false);
    assert.deepEqual(seen[0], [0, content.length]);
    assert.deepEqual(seen.at(-1), [content.length, content.length]);
    assert.ok(seen.every(([done], i) => i === 0 || done > seen[i - 1]![0]));
  }
});

test('a broken connection goes on where it ended', async () => {
  const file = target(breaksAfter(70_000), breaksAfter(50_000), ranged);
  const seen: number[] = [];
  await download({ url, digest: sha256, file, onProgress: (done) => seen.push(done) });
  assert.deepEqual(readFileSync(file), content);
  assert.equal(ranges.length, 3);
  assert.equal(ranges[0], undefined);
  assert.match(ranges[1]!, /^bytes=\d+-$/);
  assert.ok(Number(ranges[2]!.slice(6, -1)) > Number(ranges[1]!.slice(6, -1)));
  assert.equal(seen.at(-1), content.length);
});

test('after three breaks it gives up, keeps the part, and the next call resumes it', async () => {
  const file = target(breaksAfter(30_000));
  const message = await failure(download({ url, digest: sha256, file }), 'download-failed');
  assert.ok(message.includes(url) && message.includes(file), message);
  assert.equal(ranges.length, 3);
  const part = readFileSync(`${file}.part`);
  assert.ok(part.length > 0 && part.equals(content.subarray(0, part.length)));
  answers = [ranged];
  ranges = [];
  await download({ url, digest: sha256, file });
  assert.deepEqual(ranges, [`bytes=${part.length}-`]);
  assert.deepEqual(readFileSync(file), content);
});

test('a server without ranges sends everything again', async () => {
  const file = interrupted(Buffer.from('something else entirely'), whole);
  await download({ url, digest: sha256, file });
  assert.deepEqual(ranges, ['bytes=23-']);
  assert.deepEqual(readFileSync(file), content);
});

test('a part that is already whole only needs its name', async () => {
  const file = interrupted(content, ranged);
  await download({ url, digest: sha256, file });
  assert.deepEqual(readFileSync(file), content);
});

test('a server that sends another range than was asked for is not believed', async () => {
  const other: Answer = (_, response) =>
    response.writeHead(206, { 'content-range': `bytes 0-9/${content.length}` }).end(content.subarray(0, 10));
  const file = interrupted(content.subarray(0, 100), other, whole);
  await download({ url, digest: sha256, file });
  assert.deepEqual(ranges, ['bytes=100-', undefined]);
  assert.deepEqual(readFileSync(file), content);
});

test('a wrong digest removes what came and says both digests', async () => {
  for (const file of [target(whole), interrupted(Buffer.from('stale'), ranged)]) {
    const digest = `md5:${'0'.repeat(32)}` as const;
    const message = await failure(download({ url, digest, file }), 'digest-mismatch');
    assert.match(message, /Expected md5 0{32} for http.*set\.gz but received [0-9a-f]{32}\. .*removed/);
    assert.equal(existsSync(file) || existsSync(`${file}.part`), false);
  }
});

test('404 is told at once, and leaves nothing', async () => {
  const file = target((_, response) => response.writeHead(404).end('<html>not here</html>'));
  const message = await failure(download({ url, digest: sha256, file }), 'download-failed');
  assert.match(message, /the server answered 404 Not Found\. .* by hand and put it at .*set\.gz/);
  assert.equal(ranges.length, 1);
  assert.equal(existsSync(join(file, '..')), false);
});

test('without a network the address and the place for the file are named', async () => {
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const nobody = `http://127.0.0.1:${(closed.address() as AddressInfo).port}/set.gz`;
  await new Promise((resolve) => closed.close(resolve));
  const file = target();
  const message = await failure(download({ url: nobody, digest: sha256, file }), 'download-failed');
  assert.match(message, /ECONNREFUSED/);
  assert.ok(message.includes(nobody) && message.includes(file), message);
});

test('a folder that cannot be written is told, not thrown raw', async () => {
  const file = join(target(whole), 'below-a-file');
  mkdirSync(join(file, '..', '..'));
  writeFileSync(join(file, '..'), 'a file, no folder');
  assert.match(await failure(download({ url, digest: sha256, file }), 'download-failed'), /EEXIST|ENOTDIR/);
});

test('of a set only the wanted files are fetched, and progress says which', async () => {
  const dir = join(target(whole), '..');
  const file = { url, digest: sha256 };
  const seen = new Set<string>();
  await fetchFiles({
    files: { 'a.gz': file, 'b.gz': file, 'c.gz': file },
    wanted: ['a.gz', 'c.gz'],
    folder: dir,
    onProgress: ({ stage, what }) => seen.add(`${stage} ${what}`),
  });
  assert.deepEqual([...seen], ['download a.gz', 'download c.gz']);
  assert.deepEqual(
    ['a.gz', 'b.gz', 'c.gz'].map((name) => existsSync(join(dir, name))),
    [true, false, true],
  );
});
