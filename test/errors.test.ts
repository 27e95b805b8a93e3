import assert from 'node:assert/strict';
import { it } from 'node:test';
import {
  DisposedError,
  describe,
  EngineError,
  InputError,
  InterruptedError,
  printable,
  printableLines,
  RunError,
  SatinError,
} from '../src/errors.js';

it('every class has its name, its code and its exit code', () => {
  const errors = [
    new InputError('a-code', 'x'),
    new EngineError('x'),
    new DisposedError('x'),
    new RunError('b-code', 'x'),
    new InterruptedError('x'),
  ];
  assert.deepEqual(
    errors.map(({ name, code, exitCode }) => [name, code, exitCode]),
    [
      ['InputError', 'a-code', 2],
      ['EngineError', 'engine', 1],
      ['DisposedError', 'disposed', 1],
      ['RunError', 'b-code', 1],
      ['InterruptedError', 'interrupted', 130],
    ],
  );
  for (const error of errors) assert.ok(error instanceof SatinError);
});

it('a refusal says what was expected, for what, what came, and how to mend it', () => {
  assert.equal(InputError.expected('a', 'b', 'c').message, "Expected a for b but received 'c'.");
  assert.equal(InputError.expected('a', 'b', 1, 'Do so.').message, 'Expected a for b but received 1. Do so.');
});

it('any value reads well in a sentence', () => {
  const ring: { self?: unknown } = {};
  ring.self = ring;
  for (const [value, text] of [
    ['a\u001bb\n', "'a\\x1bb\\x0a'"],
    ['x'.repeat(81), `'${'x'.repeat(77)}...'`],
    [null, 'null'],
    [undefined, 'undefined'],
    [Number.NaN, 'NaN'],
    [3n, '3n'],
    [() => {}, 'a function'],
    [describe, 'a function (describe)'],
    [new Error('why'), 'why'],
    [{ a: [1] }, '{"a":[1]}'],
    [Array.from({ length: 50 }, () => 1), `[${'1,'.repeat(38)}...`],
    [ring, 'object'],
    [Symbol('a'), 'symbol'],
  ] as const)
    assert.equal(describe(value), text);
});

it('what a terminal would obey, reorder or hide is spelled out, in every message', () => {
  assert.equal(printable('a\x1b[2Jb\n\x7f\x9b'), 'a\\x1b[2Jb\\x0a\\x7f\\x9b');
  assert.equal(printable('\u202egpj.exe\u2066'), '\\u202egpj.exe\\u2066');
  assert.equal(printable('\ud800 \u{1f600} ünï'), '\\ud800 \u{1f600} ünï');
  assert.equal(printableLines('a\tb\r\nc'), 'a\tb\\x0d\nc');
  assert.equal(new InputError('code', 'a\x1b[2J\n  b').message, 'a\\x1b[2J\n  b');
  assert.equal(describe({ 'a\u009b': 1 }), '{"a\\x9b":1}');
});

it('the two forms of a name are told apart', () => {
  const name = 'caf\u00e9';
  assert.equal(printable(name), name);
  assert.equal(printable(name.normalize('NFD')), 'cafe\\u0301');
});

it('a message is cut where it is too long to read', () => {
  const { message } = new InputError('invalid-input', 'x'.repeat(1e6));
  assert.equal(message.length, 4000);
  assert.match(message, /xx\.\.\.$/);
});
