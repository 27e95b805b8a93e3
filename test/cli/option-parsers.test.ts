import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { several, wholeNumber } from '../../src/cli/option-parsers.js';
import { InputError } from '../../src/errors.js';

describe('option parsers', () => {
  it('take whole numbers only', () => {
    const parse = wholeNumber('--examples', 1);
    assert.equal(parse('1000'), 1000);
    for (const text of ['0', '-1', '1.5', '1e3', '', ' ', '0x10', 'ten', '9'.repeat(20)])
      assert.throws(() => parse(text), InputError, text);
  });

  it('gather an option that is given several times', () => {
    assert.deepEqual(several('b', several('a')), ['a', 'b']);
  });
});
