/** Ctrl-C lets a command write what it has; a second one ends it at once. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { program } from '../support/made-up-program.js';

describe('Ctrl-C', () => {
  async function interrupt(words: readonly string[], signals: readonly NodeJS.Signals[]) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program, '--', ...words], {
      cwd: fileURLToPath(new URL('.', import.meta.url)),
    });
    let [stdout, stderr] = ['', ''];
    child.stderr.on('data', (data) => {
      stderr += data;
      const next = signals[1];
      if (next !== undefined) child.kill(next);
    });
    child.stdout.on('data', (data) => {
      stdout += data;
      if (stdout === 'ready\n') child.kill(signals[0]);
    });
    const status = await new Promise((resolve) => child.once('close', resolve));
    return { status, stdout, stderr };
  }

  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    it(`(${signal}) lets a long command write what it has, and ends with 130`, async () => {
      const { status, stdout, stderr } = await interrupt(['wait'], [signal]);
      assert.deepEqual([status, stdout], [130, 'ready\nwritten\n']);
      assert.match(stderr, /Stopping after this step.*satin: Interrupted/s);
      assert.doesNotMatch(stderr, /bug/);
    });

  it('twice ends it at once', async () => {
    const { status, stdout } = await interrupt(['wait', '--stubborn'], ['SIGINT', 'SIGINT']);
    assert.deepEqual([status, stdout], [130, 'ready\n']);
  });
});
