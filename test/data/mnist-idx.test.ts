import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { readIdx } from '../../src/data/mnist-idx.js';
import { InputError } from '../../src/errors.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-idx-'));
after(() => rmSync(folder, { recursive: true }));

const classes = ['zero', 'one', 'two'];

function idx(dimensions: readonly number[], values: Iterable<number>): Buffer {
  const header = Buffer.alloc(4 + 4 * dimensions.length);
  header.set([0, 0, 8, dimensions.length]);
  for (const [axis, length] of dimensions.entries()) header.writeUInt32BE(length, 4 + 4 * axis);
  return Buffer.concat([header, Uint8Array.from(values)]);
}

const pixels = Array.from({ length: 4 * 2 * 3 }, (_, i) => i * 10);
const fourImages = idx([4, 2, 3], pixels);
const fourLabels = idx([4], [2, 0, 1, 2]);

let written = 0;
function file(bytes: Uint8Array): string {
  const path = join(folder, `file-${written++}`);
  writeFileSync(path, bytes);
  return path;
}

function read(images: Uint8Array, labels: Uint8Array) {
  return readIdx({ images: file(images), labels: file(labels), classes, name: 'tiny:test' });
}

/** The message of the InputError with which `reading` ends. */
async function refusal(reading: Promise<object>): Promise<string> {
  const error = await reading.then(
    () => assert.fail('the file was accepted'),
    (reason) => reason,
  );
  assert.ok(error instanceof InputError, String(error));
  assert.equal(error.exitCode, 2);
  return error.message;
}

test('idx files give the same images and labels plain and gzipped, whatever their names', async () => {
  for (const pack of [(bytes: Buffer) => bytes, gzipSync]) {
    const data = await read(pack(fourImages), pack(fourLabels));
    assert.deepEqual([...data.images], pixels);
    assert.deepEqual([...data.labels], [2, 0, 1, 2]);
    assert.deepEqual([...data.ids], [0, 1, 2, 3]);
    assert.deepEqual(data.shape, [1, 2, 3]);
    assert.equal(data.order, 'file');
    assert.equal(data.name, 'tiny:test');
    assert.deepEqual(data.classes, classes);
  }
});

test('a file cut anywhere is refused and named, plain or gzipped', async () => {
  let cuts = 0;
  for (const [whole, phrase] of [
    [fourImages, /cut short|empty file|header of|begin with/],
    [gzipSync(fourImages), /gzip file .* cut short|empty file|begin with/],
  ] as const)
    for (let length = 0; length < whole.length; length++, cuts++) {
      const images = file(whole.subarray(0, length));
      const message = await refusal(
        readIdx({ images, labels: file(fourLabels), classes, name: 'tiny:test' }),
      );
      assert.match(message, phrase, `cut at ${length}`);
      assert.ok(message.includes(images), message);
    }
  assert.ok(cuts > 60);
});

test('a gzip file with a flipped byte is refused by its checksum', async () => {
  const packed = gzipSync(fourImages);
  const byte = packed.length - 8; // the first byte of the checksum
  packed[byte] = packed[byte]! ^ 1;
  assert.match(
    await refusal(read(packed, fourLabels)),
    /a whole gzip file .* damaged one \(incorrect data check\)/,
  );
});

test('a longer file than its header says is refused', async () => {
  assert.match(
    await refusal(read(Buffer.concat([fourImages, Buffer.alloc(2)]), fourLabels)),
    /40 bytes.*received 42/,
  );
});

test('another format is refused with the bytes it begins with, and swapped files are told', async () => {
  assert.match(
    await refusal(read(Buffer.from('PK\x03\x04....'), fourLabels)),
    /00 00 08 03 .*received 50 4b 03 04/,
  );
  assert.match(await refusal(read(fourLabels, fourImages)), /that is (labels|images).*swapped/);
  assert.match(await refusal(read(Buffer.alloc(0), fourLabels)), /an empty file/);
});

test('labels and images of different counts are refused, and both files are named', async () => {
  const images = file(fourImages);
  const labels = file(idx([3], [0, 1, 2]));
  const message = await refusal(readIdx({ images, labels, classes, name: 'tiny:test' }));
  assert.match(message, /Expected 4 labels, as many as .* has images, .* received 3 labels/);
  assert.ok(message.includes(images) && message.includes(labels));
});

test('a label beyond the classes is refused with its place', async () => {
  assert.match(
    await refusal(read(fourImages, idx([4], [0, 1, 3, 2]))),
    /labels from 0 to 2 .* label 3 for image 2/,
  );
});

test('files without images or that do not exist are refused', async () => {
  assert.match(await refusal(read(idx([0, 2, 3], []), idx([0], []))), /at least one image/);
  const missing = join(folder, 'missing');
  const message = await refusal(readIdx({ images: missing, labels: missing, classes, name: 'tiny:test' }));
  assert.match(message, /received no file/);
  assert.ok(message.includes(missing));
});

test('a header that claims more than can be is refused before anything is unpacked, and so is more than it claims', async () => {
  const zeros = Buffer.alloc(2 ** 22);
  const claiming = (dimensions: readonly number[]) => gzipSync(Buffer.concat([idx(dimensions, []), zeros]));
  assert.match(
    await refusal(read(claiming([2 ** 31, 2 ** 31, 4]), gzipSync(fourLabels))),
    /at most 1,073,741,824 bytes .* a header that says 2147483648 x 2147483648 x 4/,
  );
  assert.match(
    await refusal(read(claiming([4, 2, 3]), gzipSync(fourLabels))),
    /at most 40 bytes once it is unpacked/,
  );
  assert.match(
    await refusal(read(gzipSync(fourImages), claiming([4]))),
    /at most 12 bytes once it is unpacked/,
  );
  assert.match(await refusal(read(claiming([2 ** 20, 28, 28]), gzipSync(fourLabels))), /it is cut short/);
});
