import assert from 'node:assert/strict';
import { it } from 'node:test';
import { lineWidth, proseWidth } from '../../../src/cli/terminal/line-width.js';

it('lines are as wide as the terminal, prose at most 100 columns, and 80 without a terminal', () => {
  const terminal = (columns: number) => ({ isTTY: true, columns });
  assert.deepEqual(
    [40, 90, 200].map((columns) => lineWidth(terminal(columns))),
    [40, 90, 200],
  );
  assert.deepEqual(
    [40, 90, 200].map((columns) => proseWidth(terminal(columns))),
    [40, 90, 100],
  );
  for (const other of [{}, { columns: 200 }, terminal(0), { isTTY: true }])
    assert.equal(lineWidth(other), 80);
});
