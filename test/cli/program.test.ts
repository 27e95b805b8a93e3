import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { program } from '../support/made-up-program.js';

function run(...words: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', program, '--', ...words],
    { encoding: 'utf8', cwd: fileURLToPath(new URL('.', import.meta.url)) },
  );
  return { status, stdout, stderr };
}

/** Ended with 2 and one sentence on standard error. */
function assertRefused(words: readonly string[], sentence: string): void {
  assert.deepEqual(run(...words), { status: 2, stdout: '', stderr: `satin: ${sentence}\n` });
}

describe('the command line', () => {
  it('runs a command with its arguments and options', () => {
    assert.deepEqual(run('paint', 'blue', '--coats', '3'), { status: 0, stdout: 'blue 3\n', stderr: '' });
  });

  it('refuses what it does not know with one sentence and the nearest name', () => {
    assertRefused(['pant', 'blue'], "Unknown command 'pant'. Did you mean 'paint'?");
    assertRefused(['pant', '--help'], "Unknown command 'pant'. Did you mean 'paint'?");
    assertRefused(['help', 'xylophone'], "Unknown command 'xylophone'. satin --help lists the commands.");
    assertRefused(['toString'], "Unknown command 'toString'. satin --help lists the commands.");
    assertRefused(['paint', 'blue', '--coat', '3'], "Unknown option '--coat'. Did you mean --coats?");
    assertRefused(['--verbos'], "Unknown option '--verbos'. Did you mean --version?");
  });

  it('refuses missing, superfluous and wrong arguments', () => {
    assertRefused(['paint'], "Missing required argument 'colour'.");
    assertRefused(['paint', 'blue', 'red'], "Too many arguments for 'paint'. Expected 1 argument but got 2.");
    assertRefused(['paint', 'blue', '--coats'], "Option '--coats <n>' argument missing.");
    assertRefused(
      ['paint', 'blue', '--coats', '-1'],
      "Expected a whole number of at least 1 for --coats but received '-1'.",
    );
  });

  it('tells an error of Satin in its sentence, with the exit code of its class', () => {
    assertRefused(['refuse'], "Expected a brush for the tool but received 'spoon'.");
    assert.deepEqual(run('fail'), { status: 1, stdout: '', stderr: 'satin: The loss is NaN.\n' });
  });

  it('says of any other error that it is a bug, with its stack', () => {
    const { status, stderr } = run('crash');
    assert.equal(status, 1);
    assert.match(stderr, /^satin: oops\nThis is a bug in Satin; .*\nTypeError: oops\n +at /);
  });

  it('shows every command and its example in --help, and loads none of them', () => {
    const { status, stdout, stderr } = run('--help');
    assert.equal(status, 0, stderr);
    for (const name of ['paint', 'refuse', 'fail', 'crash', 'wait', 'broken'])
      assert.match(stdout, new RegExp(`\\n {2}${name} .*show.*\\n {2}\\./satin ${name}`, 's'));
    assert.match(run('paint', '--help').stdout, /--coats <n>.*\nExample:\n {2}\.\/satin paint blue/s);
    assert.equal(run('help', 'paint').stdout, run('paint', '--help').stdout);
  });

  it('without a command prints the help to standard error, as wrong use', () => {
    const { status, stdout, stderr } = run();
    assert.deepEqual([status, stdout], [2, '']);
    assert.match(stderr, /^Usage: satin COMMAND/);
  });
});
