import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InputError } from '../../src/errors.js';
import { NumberKey, PickleFunction, type PickleValue, readPickle } from '../../src/weights/pickle.js';
import { torchValue } from '../../src/weights/torch-pickle.js';

/** What a pickle of protocol 2 says; `pair` is the one name that it may call. */
function said(...code: (number | string)[]): PickleValue {
  const parts = code.map((part) =>
    typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.of(part),
  );
  const bytes = Buffer.concat([Buffer.from('\x80\x02', 'latin1'), ...parts, Buffer.from('.')]);
  const { value, end } = readPickle({
    bytes,
    path: 'test.pt',
    findClass: (name) => {
      if (name === 'test.pair') return new PickleFunction(name, (values) => [values.length, ...values]);
      throw new InputError('broken-file', `names ${name}`);
    },
    persistentLoad: (id) => ['persistent', id],
  });
  assert.equal(end, bytes.length);
  return value;
}

it('plain values are what Python wrote', () => {
  assert.deepEqual([said('N'), said('\x88'), said('\x89')], [null, true, false]);
  assert.deepEqual([said('K\x05'), said('M\x01\x02'), said('J\xfe\xff\xff\xff')], [5, 513, -2]);
  assert.deepEqual([said('\x8a\x00'), said('\x8a\x01\xff'), said('\x8a\x02\x00\x80')], [0, -1, -32768]);
  assert.equal(said('\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x40'), 2n ** 62n);
  assert.equal(said('G\x3f\xf8\x00\x00\x00\x00\x00\x00'), 1.5);
  assert.equal(said('X\x02\x00\x00\x00\xc3\xa9'), 'é');
});

it('lists, tuples and dictionaries hold what was put into them', () => {
  assert.deepEqual(said(']K\x01a(K\x02K\x03e'), [1, 2, 3]);
  assert.deepEqual([said(')'), said('K\x01K\x02\x86'), said('(K\x01K\x02K\x03t')], [[], [1, 2], [1, 2, 3]]);
  assert.deepEqual(
    said('}(K\x01K\x02K\x03K\x04u'),
    new Map([
      [new NumberKey(1), 2],
      [new NumberKey(3), 4],
    ]),
  );
});

it('what was remembered is the same again', () => {
  assert.deepEqual(said(']q\x00h\x00K\x07a0h\x00'), [7]);
});

it('only what is allowed is called, and arrays are left to the file', () => {
  assert.deepEqual(said('ctest\npair\n(K\x01K\x02tR'), [2, 1, 2]);
  assert.deepEqual(said('K\x09Q'), ['persistent', 9]);
  assert.throws(() => said('cos\nsystem\n'), /names os\.system/);
});

it('what is broken is refused: nothing on the stack, an unknown opcode, a call of no function', () => {
  assert.throws(() => said(), /pops from an empty stack/);
  assert.throws(() => said('K'), /truncated|pops from an empty stack/);
  assert.throws(() => said('\xff'), /the unsupported opcode 0xff/);
  assert.throws(() => said('K\x01)R'), /calls something other than a function/);
  assert.throws(() => said('h\x05'), /reads an unset memo entry/);
  assert.throws(() => said('\x80\x01'), /the unsupported protocol 1/);
});

/** A pickle of protocol 2, read with the names that PyTorch's have. */
function read(...parts: readonly (string | Buffer)[]): PickleValue {
  const bytes = Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)),
  );
  const never = (what: string) => new InputError('broken-file', what);
  return readPickle({
    bytes: Buffer.concat([Buffer.from('\x80\x02', 'latin1'), bytes, Buffer.from('.')]),
    path: 'test.pt',
    findClass: (name) => torchValue(name, { forbidden: never, broken: never }),
    persistentLoad: (id) => id,
  }).value;
}

describe('a pickle of a few bytes is read in little time and memory, or refused', () => {
  const pairs = `](${'K\x01K\x02\x86'.repeat(5000)}eq\x00`;
  const ordered = 'ccollections\nOrderedDict\nq\x01';

  it('where it copies a list that it remembers, once', () => {
    // As Python 2 wrote an OrderedDict: the list of its pairs, which is not remembered by anything else. Keys are not merged.
    const once = read(`${ordered}${pairs}\x85R`);
    assert.ok(once instanceof Map && once.size === 5000);
  });

  it('where it does so thirty thousand times, in 198 kB', () => {
    const began = performance.now();
    assert.throws(
      () => read(pairs, ordered, `]q\x02h\x02(${'h\x01h\x00\x85R'.repeat(28_000)}e`),
      /its pickle passes more than \d+ values to functions/,
    );
    assert.ok(performance.now() - began < 5000);
  });

  it('where a tensor has a shape of that list', () => {
    const shape = `](${'K\x00'.repeat(5000)}eq\x00`;
    const call = 'ctorch._utils\n_rebuild_tensor_v2\n(Nh\x00h\x00h\x00tR';
    assert.throws(() => read(shape, call.repeat(5000)), /invalid arguments/);
  });

  it('where it numbers what it remembers as no writer does', () => {
    const numbered = (index: number) => Buffer.from([0x72, ...new Uint8Array(Uint32Array.of(index).buffer)]);
    for (const index of [0xffff_ffff, 1000])
      assert.throws(() => read('N', numbered(index)), new RegExp(`numbers a memo entry ${index}`));
    assert.equal(read('N', numbered(1), 'h\x01'), null);
  });

  it('where it nests, or doubles, a hundred thousand times', () => {
    const nested = read(']'.repeat(100_000), 'a'.repeat(99_999));
    assert.ok(Array.isArray(nested) && nested.length === 1);
    const doubled = read(']', 'q\x00h\x00h\x00\x86'.repeat(100_000));
    assert.ok(Array.isArray(doubled) && doubled.length === 2);
  });

  it('where its keys are a hundred thousand numbers that V8 hashes alike', () => {
    // Integers with the same low 64 bits, and as pairs: 72 s with the numbers themselves as keys, on the author's machine.
    const keys = Array.from({ length: 100_000 }, (_, at) => {
      const number = Buffer.alloc(14, 0);
      number.writeUInt16LE(0x0c8a);
      number.writeUInt32LE(at + 1, 10);
      return number;
    });
    const began = performance.now();
    const followedBy = (text: string) =>
      Buffer.concat(keys.flatMap((key) => [key, Buffer.from(text, 'latin1')]));
    const items = read('}(', followedBy('N'), 'u');
    const pairs = read('ccollections\nOrderedDict\n](', followedBy('N\x86'), 'e\x85R');
    for (const map of [items, pairs]) {
      assert.ok(map instanceof Map && map.size === 100_000);
      const [first] = map.keys();
      assert.ok(first instanceof NumberKey && first.value === 1n << 64n);
    }
    assert.ok(performance.now() - began < 5000);
  });

  it('where it has long strings and integers', () => {
    const length = (size: number) => Buffer.from(Uint32Array.of(size).buffer);
    assert.throws(() => read('X', length(0xffff_ffff)), /truncated/);
    assert.throws(() => read('\x8b', length(0xffff_ffff)), /an integer of 4294967295 bytes/);
    assert.throws(() => read('\x8b', length(0x8000_0000)), /an integer of 2147483648 bytes/);
  });
});
