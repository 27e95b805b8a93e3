/** Why a process failed, in the file in which torchrun looks for it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { writeErrorFile } from '../../src/distributed/error-file.js';
import { RunError } from '../../src/errors.js';
import { mainFile } from '../support/tiny-run.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-error-file-'));
after(() => rmSync(folder, { recursive: true }));

/** What torch.distributed.elastic reads of it. */
interface Content {
  readonly message: {
    readonly message: string;
    readonly extraInfo: { readonly py_callstack: string; readonly timestamp: string };
  };
}
const read = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Content;

describe('the error file', () => {
  it("has PyTorch's form", () => {
    const path = join(folder, 'error.json');
    writeErrorFile(new RunError('non-finite', 'The loss is "NaN".'), { TORCHELASTIC_ERROR_FILE: path });
    const { message } = read(path);
    assert.equal(message.message, 'RunError: The loss is "NaN".');
    assert.match(message.extraInfo.py_callstack, /^RunError: The loss is "NaN"\.\n {4}at /);
    assert.ok(Math.abs(Number(message.extraInfo.timestamp) - Date.now() / 1000) < 60);
    assert.match(message.extraInfo.timestamp, /^\d+$/);
  });

  it('keeps the first error of a process', () => {
    const path = join(folder, 'first.json');
    for (const word of ['cause', 'consequence'])
      writeErrorFile(new Error(word), { TORCHELASTIC_ERROR_FILE: path });
    assert.equal(read(path).message.message, 'Error: cause');
  });

  it('is not written without its variable, and a folder that is gone replaces no error', () => {
    writeErrorFile(new Error('a'), {});
    writeErrorFile(new Error('a'), { TORCHELASTIC_ERROR_FILE: join(folder, 'none', 'error.json') });
  });

  it('is written by the command line when it fails, and not when it is helped', () => {
    const run = (path: string, ...words: readonly string[]) =>
      spawnSync(process.execPath, [mainFile, ...words], {
        env: { ...process.env, TORCHELASTIC_ERROR_FILE: path },
      }).status;
    const [failed, helped] = [join(folder, 'failed.json'), join(folder, 'helped.json')];
    assert.equal(run(failed, 'train', 'no-such-recipe'), 2);
    assert.match(read(failed).message.message, /^InputError: .*no-such-recipe/);
    assert.equal(run(helped, 'train', '--help'), 0);
    assert.equal(existsSync(helped), false);
  });
});
