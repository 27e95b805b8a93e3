/** The sides of squares are those of the reference implementation, query by query. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { squareSide } from '../../../src/attacks/square/square.js';
import { golden } from '../../support/reference-traces.js';

describe('the side of a square', () => {
  for (const { norm, height, width, sides } of golden.squareSchedules)
    it(`is the reference's: ${norm}, ${height} x ${width}`, () => {
      const expected = sides.flatMap(([side, count]) => Array.from({ length: count }, () => side));
      assert.equal(expected.length, 5000);
      const found = expected.map((_, query) => squareSide(query, { height, width, norm }));
      assert.deepEqual(found, expected);
    });
});
