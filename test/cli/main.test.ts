/** What main.js does before any command does anything. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { commands } from '../../src/cli/commands/commands.js';

const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

describe('main.js', () => {
  const node = (...words: string[]) => spawnSync(process.execPath, [main, ...words], { encoding: 'utf8' });

  it('prints the version of package.json', () => {
    assert.match(node('--version').stdout, /^\d+\.\d+\.\d+\n$/);
  });

  it('refuses an unknown command and an unknown option with 2', () => {
    for (const word of ['nothing', '--nothing']) {
      const { status, stderr, stdout } = node(word);
      assert.deepEqual([status, stdout], [2, '']);
      assert.match(stderr, /^satin: Unknown [^\n]*\n$/);
    }
  });

  it('loads every command of the table, and shows its help with its example', () => {
    for (const [name, { example }] of Object.entries(commands)) {
      const { status, stdout, stderr } = node(name, '--help');
      assert.equal(status, 0, stderr);
      assert.ok(stdout.includes(example), `${name} shows ${example}`);
    }
  });

  it('is quiet when its reader has seen enough', async () => {
    const child = spawn(process.execPath, [main, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (data) => {
      stderr += data;
    });
    child.stdout.destroy();
    const status = await new Promise((resolve) => child.once('close', resolve));
    assert.deepEqual([status, stderr], [0, '']);
  });
});
