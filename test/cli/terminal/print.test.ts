import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  print,
  printError,
  printFailure,
  printJson,
  printWarning,
  warningText,
} from '../../../src/cli/terminal/print.js';

/** What `body` writes to a stream. */
function written(stream: 'stdout' | 'stderr', body: () => void): string {
  const { write } = process[stream];
  let text = '';
  process[stream].write = (chunk: string | Uint8Array) => {
    text += String(chunk);
    return true;
  };
  try {
    body();
  } finally {
    process[stream].write = write;
  }
  return text;
}

describe('what is printed', () => {
  const hostile = 'a\x1b[31m\u009b1m\u202eb\ttab\nline';

  it('obeys no control character but tab and line feed', () => {
    for (const [stream, body] of [
      ['stdout', () => print(hostile)],
      ['stderr', () => printError(hostile)],
    ] as const)
      assert.equal(written(stream, body), 'a\\x1b[31m\\x9b1m\\u202eb\ttab\nline');
  });

  it('begins with what it is, in colour on a terminal that has colours', () => {
    assert.equal(
      written('stderr', () => printWarning('a\x1bb')),
      'Warning: a\\x1bb\n',
    );
    assert.equal(
      written('stderr', () => printFailure('a\x1bb')),
      'satin: a\\x1bb\n',
    );
    const terminal = Object.assign(new Writable(), { isTTY: true, hasColors: () => true });
    assert.equal(warningText('a\x1bb', terminal), '\x1b[33mWarning:\x1b[39m a\\x1bb\n');
  });

  it('is the same JSON', () => {
    const text = written('stdout', () => printJson(`${JSON.stringify({ name: hostile })}\n`));
    assert.doesNotMatch(text.slice(0, -1), /[\p{Cc}\u202e]/u);
    assert.deepEqual(JSON.parse(text), { name: hostile });
  });

  it('goes through these functions, or the display, wherever the command line prints', () => {
    const folder = fileURLToPath(new URL('../../../../src/', import.meta.url));
    const writers = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
      (file) =>
        file.endsWith('.ts') &&
        /process\.std(out|err)\.write\(|console\.\w+\(/.test(readFileSync(join(folder, file), 'utf8')),
    );
    assert.deepEqual(writers, [join('cli', 'terminal', 'print.ts')]);
  });
});
