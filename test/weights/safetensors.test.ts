import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { InputError } from '../../src/errors.js';
import { encodeSafetensors, type NamedArray, readSafetensors } from '../../src/weights/safetensors.js';

const golden = fileURLToPath(new URL('../../../test/golden/small.safetensors', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'satin-safetensors-'));
after(() => rmSync(folder, { recursive: true }));

function bytesOf(array: Float32Array | Float64Array | Int32Array | BigInt64Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** What scripts/golden/safetensors_file.py wrote. */
const arrays: NamedArray[] = [
  { name: 'bytes', dtype: 'U8', shape: [3], bytes: Uint8Array.of(1, 2, 255) },
  {
    name: 'conv.weight',
    dtype: 'F32',
    shape: [1, 2, 3],
    bytes: bytesOf(Float32Array.of(0, 0.25, 0.5, 0.75, 1, 1.25)),
  },
  { name: 'empty', dtype: 'F32', shape: [0, 3], bytes: new Uint8Array() },
  { name: 'ids', dtype: 'I32', shape: [2, 1], bytes: bytesOf(Int32Array.of(1, -2)) },
  { name: 'steps', dtype: 'I64', shape: [], bytes: bytesOf(BigInt64Array.of(2n ** 40n + 1n)) },
  { name: 'wide', dtype: 'F64', shape: [2], bytes: bytesOf(Float64Array.of(1.5, -2.5)) },
];
const metadata = { kind: 'golden', text: 'ε = 8/255' };

function byName(list: readonly NamedArray[]): NamedArray[] {
  return [...list].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function fileOf(bytes: Uint8Array): string {
  const path = join(folder, 'file.safetensors');
  writeFileSync(path, bytes);
  return path;
}

/** A file with a header as given, whatever it says. */
function fileWithHeader(header: string, data: Uint8Array = new Uint8Array(4)): string {
  const text = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return fileOf(Buffer.concat([length, text, data]));
}

function refuses(path: string, message: RegExp): void {
  assert.throws(
    () => readSafetensors(path),
    (error) => {
      assert.ok(error instanceof InputError, String(error));
      assert.match(error.message, message);
      assert.ok(error.message.includes(path), 'the sentence names the file');
      return true;
    },
  );
}

describe('safetensors', () => {
  it('reads what the reference implementation wrote', () => {
    const file = readSafetensors(golden);
    assert.deepEqual(byName(file.arrays), arrays);
    assert.deepEqual(file.metadata, metadata);
  });

  it('reads back what it wrote, with a digest of the whole file', () => {
    const first = readSafetensors(fileOf(encodeSafetensors(arrays, metadata)));
    assert.deepEqual(byName(first.arrays), arrays);
    assert.deepEqual(first.metadata, metadata);
    assert.match(first.digest, /^sha256:[0-9a-f]{64}$/);
    const changed = readSafetensors(fileOf(encodeSafetensors(arrays, { ...metadata, kind: 'gold' })));
    assert.notEqual(changed.digest, first.digest);
  });

  it('writes the same bytes whatever the order of the arrays', () => {
    assert.deepEqual(encodeSafetensors([...arrays].reverse()), encodeSafetensors(arrays));
  });

  it('lays every array at a multiple of its element size', () => {
    const bytes = Buffer.from(encodeSafetensors(arrays, metadata));
    const headerLength = Number(bytes.readBigUInt64LE());
    assert.equal(headerLength % 8, 0);
    const offsets = [...bytes.toString('utf8', 8).matchAll(/"dtype":"(..?.?)".*?"data_offsets":\[(\d+)/g)];
    assert.equal(offsets.length, arrays.length);
    const sizes = new Map([
      ['F64', 8],
      ['I64', 8],
      ['F32', 4],
      ['I32', 4],
      ['U8', 1],
    ]);
    for (const [, dtype = '', begin] of offsets)
      assert.equal(Number(begin) % (sizes.get(dtype) ?? 0), 0, dtype);
  });

  it('gives bytes that every typed array can stand on', () => {
    for (const { bytes } of readSafetensors(golden).arrays) assert.equal(bytes.byteOffset % 8, 0);
  });

  it('refuses to write two arrays of one name, and bytes that do not fill the shape', () => {
    const [first] = arrays;
    assert.ok(first);
    assert.throws(() => encodeSafetensors([first, first]), InputError);
    assert.throws(() => encodeSafetensors([{ ...first, name: '__metadata__' }]), InputError);
    assert.throws(() => encodeSafetensors([{ ...first, shape: [4] }]), /Expected 4 bytes/);
  });

  it('refuses a file cut short at any byte', () => {
    const whole = readFileSync(golden);
    for (let length = 0; length < whole.length; length++)
      refuses(fileOf(whole.subarray(0, length)), /truncated|bytes/);
  });

  it('refuses a file that goes on after its arrays', () => {
    refuses(fileOf(Buffer.concat([readFileSync(golden), Buffer.alloc(1)])), /1 bytes follow/);
  });

  it('refuses a header that is not one', () => {
    refuses(fileOf(Buffer.alloc(64, 0xff)), /claims/);
    refuses(fileWithHeader('{'), /not JSON/);
    refuses(fileWithHeader('[]'), /not a JSON object/);
    refuses(fileWithHeader('{"a": 1}'), /is not an object/);
    refuses(fileWithHeader(`${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`), /more than 100 deep/);
    const name = 'a\n'.repeat(100_000);
    refuses(
      fileWithHeader(JSON.stringify({ [name]: 1 })),
      /of the array 'a\\x0aa[^\n]{60,80}\.\.\.' is not an object/,
    );
    refuses(fileWithHeader('{"__metadata__": {"a": 1}}', new Uint8Array()), /metadata 'a' is not a string/);
  });

  it('refuses arrays that lie, overlap or leave a gap', () => {
    const place = (begin: number, end: number, shape = '[1]', dtype = 'F32') =>
      `{"dtype":"${dtype}","shape":${shape},"data_offsets":[${begin},${end}]}`;
    refuses(fileWithHeader(`{"a":${place(0, 4, '[2]')}}`), /has 4 bytes where F32 \[2\] needs 8/);
    refuses(fileWithHeader(`{"a":${place(0, 4, '[-1]')}}`), /shape/);
    refuses(fileWithHeader(`{"a":${place(0, 4, '[1.5]')}}`), /shape/);
    refuses(fileWithHeader(`{"a":${place(0, 4, '[4294967296,4294967296,4294967296]')}}`), /needs/);
    refuses(fileWithHeader(`{"a":${place(0, 2, '[1]', 'C64')}}`), /Expected F64, F32.*C64/);
    refuses(fileWithHeader(`{"a":${place(0, 4)},"b":${place(0, 4)}}`), /does not start/);
    refuses(fileWithHeader(`{"a":${place(4, 8)}}`, new Uint8Array(8)), /does not start/);
    refuses(fileWithHeader(`{"a":${place(0, 4)},"a":${place(4, 8)}}`, new Uint8Array(8)), /does not start/);
  });

  it('refuses a folder and a file that is not there', () => {
    refuses(folder, /Expected a safetensors file/);
    refuses(join(folder, 'none.safetensors'), /a readable safetensors file/);
  });
});
