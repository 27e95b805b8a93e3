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

it('the last columns are left out where they do not fit, as far as they may', () => {
  const rows = [
    ['name', 'value', 'more'],
    ['a', 'b', 'c'],
  ];
  const widths = (width: number, optional: number) =>
    columns(rows, { width, optional }).map((line) => line.length);
  assert.deepEqual(widths(17, 2), [17, 14]);
  assert.deepEqual(widths(16, 2), [11, 7]);
  assert.deepEqual(widths(5, 2), [4, 1]);
  assert.deepEqual(widths(5, 1), [11, 7]);
  assert.deepEqual(widths(5, 0), [17, 14]);
});

it('of a long text the end is kept', () => {
  assert.deepEqual([shortened('abcdef', 6), shortened('abcdef', 4)], ['abcdef', '…def']);
});
