import assert from 'node:assert/strict';
import { it } from 'node:test';
import { InputError } from '../../src/errors.js';
import { PickleFunction, type PickleValue, readPickle } from '../../src/weights/pickle.js';

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
      [1, 2],
      [3, 4],
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
