/** Files of torch.save (test/golden/state-dicts, made by scripts/golden/state_dicts.py), whole, damaged and hostile. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { InputError } from '../../src/errors.js';
import { scope } from '../../src/tensor/scope.js';
import { toTensor } from '../../src/weights/module-weights.js';
import { readSafetensors } from '../../src/weights/safetensors.js';
import { readStateDict } from '../../src/weights/state-dict.js';
import { readGolden } from '../support/golden.js';

const folder = fileURLToPath(new URL('../../../test/golden/state-dicts/', import.meta.url));
const file = (name: string) => join(folder, name);
const temporary = mkdtempSync(join(tmpdir(), 'satin-state-dict-'));
after(() => rmSync(temporary, { recursive: true }));

/** What a file holds, read. */
function read(path: string, entry?: string) {
  const state = readStateDict(path, { entry });
  return {
    skipped: state.skipped,
    arrays: state.arrays.map(({ read: bytes, ...array }) => ({ ...array, bytes: bytes() })),
  };
}

const refuses = (path: string, code: string, sentence: RegExp, entry?: string) =>
  assert.throws(
    () => read(path, entry),
    (error) => {
      assert.ok(error instanceof InputError, String(error));
      assert.match(error.message, sentence);
      assert.ok(error.message.includes(path) || entry !== undefined, error.message);
      assert.equal(error.code, code);
      return true;
    },
  );

/** A file with these bytes. */
function written(name: string, bytes: Uint8Array): string {
  const path = join(temporary, name);
  writeFileSync(path, bytes);
  return path;
}

describe('a state dict', () => {
  const { kinds } = readGolden<{ kinds: { name: string; shape: number[]; values: string[] }[] }>(
    'state-dicts',
  );

  for (const name of ['kinds.pt', 'kinds-old.pt'])
    it(`of every kind of array is read as PyTorch reads it: ${name}`, () => {
      const { arrays, skipped } = read(file(name));
      assert.deepEqual(skipped, []);
      assert.deepEqual(
        arrays.map((array) => array.name),
        kinds.map((kind) => kind.name),
      );
      for (const [place, { shape, values }] of kinds.entries()) {
        const array = arrays[place]!;
        assert.deepEqual(array.shape, shape, array.name);
        assert.deepEqual([...numbersOf(array)], values.map(numberOf), array.name);
      }
    });

  for (const name of ['tiny.pt', 'tiny-old.pt'])
    it(`of a network has the bits that were saved: ${name}`, () => {
      const saved = readSafetensors(file('tiny.safetensors')).arrays;
      const { arrays } = read(file(name));
      const byName = (all: typeof saved) =>
        new Map(all.map(({ bytes, ...array }) => [array.name, [array, Buffer.from(bytes)]]));
      assert.ok(saved.length > 40);
      assert.deepEqual(byName(arrays), byName(saved));
    });

  it('is found in a checkpoint, whose other values are named', () => {
    const { arrays, skipped } = read(file('wrapped.pt'));
    assert.equal(arrays.length, readSafetensors(file('tiny.safetensors')).arrays.length + 2);
    assert.ok(arrays.every(({ name }) => name.startsWith('module.')));
    assert.deepEqual(skipped, ['epoch', 'arch', 'best', 'size', 'dtype', 'device', 'scheduler', 'history']);
  });

  it('is one of several where --entry says so, and refused without', () => {
    refuses(
      file('two.pt'),
      'invalid-input',
      /the name of one state dict for `entry` .* holds several: model, ema\./,
    );
    refuses(file('two.pt'), 'invalid-input', /one of model, ema for `entry` but received 'other'/, 'other');
    const weight = (entry: string) => [...numbersOf(read(file('two.pt'), entry).arrays[0]!)];
    assert.deepEqual(weight('model'), [0, 0]);
    assert.deepEqual(weight('ema'), [1, 1]);
    assert.deepEqual(weight('ema.module'), [1, 1]);
    assert.deepEqual(read(file('two.pt'), 'ema').skipped, ['decay']);
  });

  it('is read from an archive with the directory of large files', () => {
    assert.ok(readFileSync(file('zip64.pt')).includes(Buffer.from('ffffffffffffffff', 'hex')));
    for (const name of ['zip64.pt', 'stored.pt'])
      assert.deepEqual([...numbersOf(read(file(name)).arrays[0]!)], [0, 1, 2, 3]);
  });

  it('is read in parts: an array takes no more memory than it has bytes', () => {
    for (const { bytes } of read(file('kinds.pt')).arrays)
      assert.equal(bytes.buffer.byteLength, bytes.length);
  });
});

describe('refused as weights', () => {
  const run = 'Satin reads tensors and executes no pickled code';
  it('a pickle that calls a function of the system, which is not called', () => {
    for (const name of ['attack.pt', 'attack-old.pt'])
      refuses(
        file(name),
        'pickle-refused',
        new RegExp(`its pickle references (posix|nt)\\.system\\. ${run}`),
      );
    assert.ok(!existsSync('pwned'));
  });
  it('a pickled network', () =>
    refuses(
      file('module.pt'),
      'pickle-refused',
      new RegExp(`references torch\\.nn\\.modules\\.linear\\.Linear\\. ${run}`),
    ));
  it('an opcode that no weights need', () =>
    refuses(file('opcode.pt'), 'broken-file', /the unsupported opcode 0x49/));
  it('lists without end', () => refuses(file('endless.pt'), 'invalid-input', /It holds no dictionary/));
  it('a stack that is empty', () => refuses(file('underflow.pt'), 'broken-file', /pops from an empty stack/));
  it('a dictionary that holds itself', () =>
    refuses(file('ring.pt'), 'invalid-input', /without tensors \(model\)/));
  it('a tensor of more numbers than there are', () =>
    refuses(
      file('bomb.pt'),
      'broken-file',
      /'weight' is a view of shape \[1000000, 1000000\] of a storage with 1 elements/,
    ));
  it('numbers of a big-endian machine', () =>
    refuses(file('big-endian.pt'), 'invalid-input', /a big-endian machine/));
  it('compressed arrays', () => refuses(file('compressed.pt'), 'broken-file', /byteorder is compressed/));
  it('an array that is shorter than it says', () =>
    refuses(file('short-array.pt'), 'broken-file', /the array 0 has 12 bytes where 16 are needed/));
  it('an array that is not there', () =>
    refuses(file('no-array.pt'), 'broken-file', /the array 0 is missing/));
  it('the tar format of the first PyTorch', () => {
    const tar = Buffer.alloc(1024);
    tar.write('ustar', 257);
    refuses(written('tar.pt', tar), 'invalid-input', /It is in the older tar format/);
  });
  it('more opcodes than any weights have', () => {
    const old = readFileSync(file('attack-old.pt'));
    const value = old.indexOf(Buffer.from('80027d7100', 'hex'), 40);
    const many = Buffer.concat([
      old.subarray(0, value),
      Buffer.from([0x80, 2]),
      Buffer.alloc(2_100_000, 'N'),
    ]);
    refuses(written('many.pt', many), 'broken-file', /more than 2000000 opcodes/);
  });
  it('a whole number of a million digits', () => {
    const old = readFileSync(file('attack-old.pt'));
    const value = old.indexOf(Buffer.from('80027d7100', 'hex'), 40);
    const long = Buffer.concat([
      old.subarray(0, value),
      Buffer.from('80028bffff0f00', 'hex'),
      Buffer.alloc(1 << 20),
    ]);
    refuses(written('long.pt', long), 'broken-file', /an integer of 1048575 bytes/);
  });
  it('forty thousand names for a dictionary of forty thousand entries', () => {
    const old = readFileSync(file('attack-old.pt'));
    const start = old.subarray(0, old.indexOf(Buffer.from('80027d7100', 'hex'), 40));
    const entries = (value: string) =>
      Array.from({ length: 40_000 }, (_, at) => `X\x05\0\0\0${10_000 + at}${value}`).join('');
    const shared = Buffer.from(
      `\x80\x02}(X\x01\0\0\0a}q\0(${entries('N')}u${entries('h\0')}u.\x80\x02].`,
      'latin1',
    );
    const began = performance.now();
    refuses(written('shared.pt', Buffer.concat([start, shared])), 'invalid-input', /without tensors/);
    assert.ok(performance.now() - began < 5000);
  });

  for (const name of ['kinds.pt', 'kinds-old.pt'])
    it(`a file cut short, wherever: ${name}`, () => {
      const bytes = readFileSync(file(name));
      for (let length = 16; length < bytes.length; length += 101)
        assert.throws(() => read(written('cut.pt', bytes.subarray(0, length))), InputError, String(length));
    });

  for (const name of ['stored.pt', 'zip64.pt', 'tiny-old.pt', 'wrapped.pt'])
    it(`damage that is not seen leaves a file readable; all other is an InputError: ${name}`, () => {
      const bytes = readFileSync(file(name));
      let refused = 0;
      for (let turn = 0; turn < 100; turn++) {
        try {
          read(written('damaged.pt', damaged(bytes, turn)));
        } catch (error) {
          assert.ok(error instanceof InputError, error instanceof Error ? error.stack : String(error));
          refused += 1;
        }
      }
      assert.ok(refused > 3, String(refused));
    });
});

/** A few bytes changed, at places and to values that the turn decides. */
function damaged(bytes: Buffer, turn: number): Buffer {
  const result = Buffer.from(bytes);
  let state = turn + 1;
  const next = (below: number) => {
    state = (state * 48271) % 2147483647;
    return state % below;
  };
  for (let change = 0; change <= turn % 4; change++) result[next(result.length)] = next(256);
  return result;
}

/** The numbers of an array, by the engine where it has them. */
function numbersOf(array: Parameters<typeof toTensor>[0]): ArrayLike<number> & Iterable<number> {
  const { dtype, bytes } = array;
  if (dtype === 'BOOL') return bytes;
  if (dtype === 'I8') return new Int8Array(bytes.slice().buffer);
  if (dtype === 'I16') return new Int16Array(bytes.slice().buffer);
  return scope(() => toTensor(array).numbers());
}

/** `0x1.8p+1` as Python writes it, or a whole number. */
function numberOf(text: string): number {
  const match = /^(-?)0x([01])\.([0-9a-f]+)p([+-]\d+)$/.exec(text);
  if (match === null) return { inf: Infinity, '-inf': -Infinity, True: 1, False: 0 }[text] ?? Number(text);
  const [, sign, whole, fraction, exponent] = match as unknown as string[];
  const digits = BigInt(`0x${whole}${fraction}`);
  return (sign === '-' ? -1 : 1) * Number(digits) * 2 ** (Number(exponent) - 4 * fraction!.length);
}
