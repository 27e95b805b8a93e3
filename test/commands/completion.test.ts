/** `satin completion`: the script of bash in bash, as readline calls it; those of zsh and fish where these are installed. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { commandLines } from '../support/command-lines.js';
import { mainFile } from '../support/tiny-run.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-completion-'));
const lines = commandLines();
after(() => {
  lines.close();
  rmSync(folder, { recursive: true });
});
const program = join(folder, 'satin');
writeFileSync(program, `#!/bin/sh\nexec ${process.execPath} ${mainFile} "$@"\n`, { mode: 0o755 });

const isInstalled = (shell: string) => spawnSync(shell, ['--version']).status === 0;
const scriptOf = async (shell: string) => (await lines.run(['completion', shell])).stdout;

describe('in bash', { skip: isInstalled('bash') ? false : 'there is no bash' }, async () => {
  const script = await scriptOf('bash');
  /** What readline is given for a line, whose words bash has split at = and : too. */
  const replies = (line: string, split: readonly string[]) => {
    const quoted = split.map((word) => `'${word}'`).join(' ');
    const asked = `COMP_LINE=$1 COMP_POINT=\${#1} COMP_WORDS=(${quoted}) COMP_CWORD=${split.length - 1}`;
    const program = `COMP_WORDBREAKS=$' =:'; ${script}\n${asked}; _satin; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', program, 'bash', line], {
      encoding: 'utf8',
    });
    assert.doesNotMatch(stderr, /syntax|not found/);
    return stdout.trimEnd().split('\n');
  };

  it('commands are completed, by the path with which satin was called', () => {
    assert.deepEqual(replies(`${program} tra`, [program, 'tra']), ['train']);
  });

  it('what follows = replaces that alone, as bash’s words do', () => {
    const before = [program, 'train', 'x', '--set'];
    assert.deepEqual(
      replies(`${program} train x --set training.objective=m`, [...before, 'training.objective', '=', 'm']),
      ['mart'],
    );
    assert.deepEqual(replies(`${program} train x --set training.epochS`, [...before, 'training.epochS']), [
      'training.epochSteps=',
    ]);
  });

  it('nothing on the line is run, and files are left to bash', () => {
    const pwned = join(folder, 'pwned');
    const line = `${program} train $(touch ${pwned}) --dev`;
    assert.deepEqual(replies(line, [program, 'train', 'x', '--dev']), ['--device']);
    assert.equal(existsSync(pwned), false);
    assert.deepEqual(replies(`${program} evaluate `, [program, 'evaluate', '']), ['']);
    assert.match(script, /^complete -o default /m);
  });
});

describe('in other shells', () => {
  it('a suggestion has what it is beside it, in their notation', async () => {
    const ask = async (shell: string) =>
      (await lines.run(['completion', shell, '--', 'train', 'x', '--set', 'training.epochS'])).stdout;
    assert.equal(await ask('zsh'), 'training.epochSteps=:Steps per epoch\n');
    assert.equal(await ask('fish'), 'training.epochSteps=\tSteps per epoch\n');
  });

  for (const shell of ['zsh', 'fish'])
    it(`the script of ${shell} is one`, {
      skip: isInstalled(shell) ? false : `there is no ${shell}`,
    }, async () => {
      const { status, stderr } = spawnSync(shell, ['-n'], { input: await scriptOf(shell), encoding: 'utf8' });
      assert.equal(status, 0, stderr);
    });

  it('others are refused', async () => {
    const { status, stderr, engineLoaded } = await lines.run(['completion', 'tcsh']);
    assert.equal(status, 2);
    assert.match(stderr, /Allowed choices are bash, zsh, fish/);
    assert.equal(engineLoaded, false);
  });
});
