import assert from 'node:assert/strict';
import { it } from 'node:test';
import { columns, shortened } from '../../../src/cli/terminal/columns.js';

it('a column is as wide as its widest cell, and no line ends with blanks', () => {
  const rows = [
    ['a', 'bb', 'c'],
    ['aaa', 'b', ''],
  ];
  assert.deepEqual(columns(rows), ['a    bb  c', 'aaa  b']);
  assert.deepEqual(columns(rows, { right: [0, 1] }), ['  a  bb  c', 'aaa   b']);
  assert.deepEqual(columns([]), []);
});

it('of a long text the end is kept', () => {
  assert.deepEqual([shortened('abcdef', 6), shortened('abcdef', 4)], ['abcdef', '…def']);
});
