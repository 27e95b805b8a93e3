import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { packTar } from 'modern-tar';
import { type CifarLayout, cifar10, cifar100, readCifar } from '../../src/data/cifar.js';
import { InputError } from '../../src/errors.js';

const root = mkdtempSync(join(tmpdir(), 'satin-cifar-'));
after(() => rmSync(root, { recursive: true }));

// The published sets with two examples a file, so that a test writes kilobytes.
const small10: CifarLayout = { ...cifar10, examplesPerFile: { train: 2, test: 2 } };
const small100: CifarLayout = { ...cifar100, examplesPerFile: { train: 2, test: 2 } };

const pixel = (example: number, at: number) => (example * 31 + at) % 251;

function records(labels: readonly (readonly number[])[], first = 0): Buffer {
  return Buffer.concat(
    labels.map((label, i) =>
      Buffer.from([...label, ...Array.from({ length: 3072 }, (_, at) => pixel(first + i, at))]),
    ),
  );
}

const names10 = 'airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n';
const names100 = Array.from({ length: 100 }, (_, i) => `class_${i}`).join('\r\n');

function files10(): Record<string, Buffer> {
  const batches = cifar10.train.map((name, i) => [name, records([[i], [9 - i]], 2 * i)]);
  return {
    ...Object.fromEntries(batches),
    'test_batch.bin': records([[3], [8]]),
    'batches.meta.txt': Buffer.from(names10),
  };
}

let folders = 0;
function folderOf(files: Record<string, Buffer>, below = ''): string {
  const dir = join(root, `${folders++}`);
  for (const [name, bytes] of Object.entries(files)) {
    const file = join(dir, below, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  }
  return dir;
}

async function archiveOf(files: Record<string, Buffer>, layout: CifarLayout): Promise<Buffer> {
  const entries = Object.entries(files).map(([name, bytes]) => ({
    header: { name: `${layout.folder}/${name}`, size: bytes.length },
    body: new Uint8Array(bytes),
  }));
  return gzipSync(await packTar(entries));
}

async function refusal(reading: Promise<object>): Promise<string> {
  const error = await reading.then(
    () => assert.fail('the files were accepted'),
    (reason) => reason,
  );
  assert.ok(error instanceof InputError, String(error));
  return error.message;
}

test('CIFAR-10 reads the same from its files, from the unpacked folder and from the archive', async () => {
  const archive = await archiveOf(files10(), cifar10);
  const dirs = [
    folderOf(files10()),
    folderOf(files10(), cifar10.folder),
    folderOf({ [cifar10.archive]: archive }),
    join(folderOf({ [cifar10.archive]: archive }), cifar10.archive),
  ];
  for (const dir of dirs) {
    const train = await readCifar({ layout: small10, dir, split: 'train', name: 'cifar10:train' });
    assert.deepEqual([...train.labels], [0, 9, 1, 8, 2, 7, 3, 6, 4, 5]);
    assert.deepEqual([...train.ids], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert.deepEqual(train.shape, [3, 32, 32]);
    assert.equal(train.images.length, 10 * 3072);
    assert.ok(train.images.every((byte, i) => byte === pixel(Math.floor(i / 3072), i % 3072)));
    assert.equal(train.classes[9], 'truck');
    assert.equal(train.order, 'file');
    const held = await readCifar({ layout: small10, dir, split: 'test', name: 'cifar10:test' });
    assert.deepEqual([...held.labels], [3, 8]);
  }
});

test('CIFAR-100 takes the fine label, the second of two', async () => {
  const dir = folderOf({
    'train.bin': records([
      [19, 99],
      [3, 0],
    ]),
    'test.bin': records([
      [1, 42],
      [0, 7],
    ]),
    'fine_label_names.txt': Buffer.from(names100),
  });
  const data = await readCifar({ layout: small100, dir, split: 'train', name: 'cifar100:train' });
  assert.deepEqual([...data.labels], [99, 0]);
  assert.equal(data.classes[99], 'class_99');
  assert.ok(data.images.every((byte, i) => byte === pixel(Math.floor(i / 3072), i % 3072)));
});

test('a file cut within an image or between two is refused and named', async () => {
  for (const length of [0, 100, 3073, 6145, 6147]) {
    const bytes = Buffer.alloc(length);
    records([[3], [8]]).copy(bytes);
    const dir = folderOf({ ...files10(), 'test_batch.bin': bytes });
    const message = await refusal(readCifar({ layout: small10, dir, split: 'test', name: 'cifar10:test' }));
    assert.match(message, /6,146 bytes \(2 examples of 3073\)/);
    assert.ok(message.includes(join(dir, 'test_batch.bin')), message);
  }
});

test('a label beyond the classes is refused', async () => {
  const dir = folderOf({ ...files10(), 'test_batch.bin': records([[3], [10]]) });
  const message = await refusal(readCifar({ layout: small10, dir, split: 'test', name: 'cifar10:test' }));
  assert.match(message, /labels from 0 to 9 .* label 10 for image 1/);
});

test('missing files, missing names and an empty folder are refused with what is missing', async () => {
  const reading = (dir: string) => readCifar({ layout: small10, dir, split: 'train', name: 'cifar10:train' });
  const rest = files10();
  delete rest['data_batch_4.bin'];
  assert.match(await refusal(reading(folderOf(rest))), /data_batch_4\.bin but received no file/);
  const nameless = files10();
  delete nameless['batches.meta.txt'];
  assert.match(await refusal(reading(folderOf(nameless))), /batches\.meta\.txt but received no file/);
  assert.match(
    await refusal(reading(folderOf({ ...files10(), 'batches.meta.txt': Buffer.from('cat\ndog\n') }))),
    /10 class names, one a line, .* received 2 lines/,
  );
  assert.match(
    await refusal(reading(folderOf({ 'readme.html': Buffer.from('x') }))),
    /cifar-10-binary\.tar\.gz/,
  );
});

test('a truncated, wrong or incomplete archive is refused and named', async () => {
  const reading = (bytes: Buffer) =>
    readCifar({
      layout: small10,
      dir: folderOf({ [cifar10.archive]: bytes }),
      split: 'test',
      name: 'cifar10:test',
    });
  const archive = await archiveOf(files10(), cifar10);
  assert.match(
    await refusal(reading(archive.subarray(0, archive.length / 2))),
    /cifar-10-binary\.tar\.gz .*cut short/,
  );
  assert.match(await refusal(reading(gzipSync(Buffer.from('no tar at all')))), /cifar-10-binary\.tar\.gz/);
  const python = await archiveOf(
    { data_batch_1: Buffer.from('pickle'), test_batch: Buffer.from('pickle') },
    cifar10,
  );
  assert.match(
    await refusal(reading(python)),
    /batches\.meta\.txt in it .* one with data_batch_1, test_batch/,
  );
});
