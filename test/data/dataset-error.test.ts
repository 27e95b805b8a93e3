import assert from 'node:assert/strict';
import { it } from 'node:test';
import { countOf, datasetError, errorCode, firstLine } from '../../src/data/dataset-error.js';
import { InputError } from '../../src/errors.js';

it('data that cannot be used is refused in one sentence, with a remedy', () => {
  const error = datasetError({
    file: 'a.png',
    expected: 'an image',
    received: 'a text',
    remedy: 'Delete it.',
  });
  assert.ok(error instanceof InputError);
  assert.deepEqual(
    [error.code, error.message],
    ['unusable-data', 'Expected an image for a.png but received a text. Delete it.'],
  );
});

it('counts read as people write them', () => {
  assert.deepEqual(
    [countOf(1, 'file'), countOf(0, 'file'), countOf(12_345, 'entry', 'entries')],
    ['1 file', '0 files', '12,345 entries'],
  );
});

it('of an error its code and its first line are told', () => {
  const error = Object.assign(new Error('cut\n  at x'), { code: 'Z_BUF_ERROR' });
  assert.deepEqual([errorCode(error), firstLine(error)], ['Z_BUF_ERROR', 'cut']);
  assert.deepEqual(
    [errorCode(new Error('x')), errorCode('ENOENT'), firstLine('a\nb')],
    [undefined, undefined, 'a'],
  );
});
