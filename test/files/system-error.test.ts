import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { InputError } from '../../src/errors.js';
import { explainSystemError, explainWriteError } from '../../src/files/system-error.js';

const failure = (code: string) => Object.assign(new Error(code), { code });

/** The error of the operating system itself. */
function thrown(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return assert.fail('nothing was thrown');
}

describe('an error of the operating system', () => {
  it('is told in a sentence when a file is written', () => {
    for (const code of ['ENOSPC', 'EDQUOT', 'EFBIG']) {
      const error = explainWriteError('a/b', failure(code));
      assert.ok(error instanceof InputError && error.code === 'disk-full' && error.message.includes('a/b'));
    }
    const error = explainWriteError('a/b', failure('EROFS'));
    assert.ok(error instanceof InputError && error.code === 'cannot-write');
    assert.equal(error.message, 'Expected to write a/b but its file system is read-only.');
  });

  it('is told in a sentence wherever it names its file', () => {
    const folder = tmpdir();
    const cases = [
      [() => readFileSync(join(folder, 'nowhere', '\u0007')), /nowhere\/\\x07' but it, or a folder of/],
      [() => writeFileSync(join(folder, 'n'.repeat(300)), ''), /but its name is too long\.$/],
    ] as const;
    for (const [action, sentence] of cases) {
      const error = explainSystemError(thrown(action));
      assert.ok(error instanceof InputError);
      assert.match(error.message, sentence);
    }
  });

  it('is left alone if it is another, or is explained already', () => {
    for (const error of [failure('EPIPE'), new TypeError('x'), 'x', new InputError('a', 'b')]) {
      assert.equal(explainWriteError('a', error), error);
      assert.equal(explainSystemError(error), error);
    }
  });
});
