import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseJson } from '../../src/files/parse-json.js';

it('reads what JSON.parse reads', () => {
  for (const value of [null, 'a[{"', ['\\', '"', ['[[']], { a: [{ b: {} }], c: '\u2028' }])
    assert.deepEqual(parseJson(JSON.stringify(value)), value);
});

it('refuses what is nested deeper than anything walks', () => {
  const nested = (depth: number, [open, close] = ['[', ']']) => open!.repeat(depth) + close!.repeat(depth);
  assert.doesNotThrow(() => parseJson(nested(100)));
  for (const depth of [101, 20_000, 1_000_000])
    assert.throws(() => parseJson(nested(depth)), /^SyntaxError: it is nested more than 100 deep$/);
  assert.throws(() => parseJson(`${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`), /nested more than 100/);
  assert.doesNotThrow(() => parseJson(JSON.stringify('['.repeat(1000))), 'brackets in a string');
});

it('says what is wrong in one printable line', () => {
  for (const text of ['', '{"a": 1', 'a\nb', '"\n', `{"a": ${'x\n'.repeat(50)}`])
    assert.throws(
      () => parseJson(text),
      (error) => error instanceof SyntaxError && !/\p{Cc}/u.test(error.message),
    );
});
