import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { commands } from '../../src/cli/commands/commands.js';
import { several, wholeNumber } from '../../src/cli/options.js';
import { InputError } from '../../src/errors.js';

const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const moduleUrl = (path: string) => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href);

/** A program with commands of the test's own, as main.js runs the real ones. */
const program = `
  import { Command } from '@commander-js/extra-typings';
  import { InputError, RunError } from ${moduleUrl('errors.js')};
  import { runProgram } from ${moduleUrl('cli/program.js')};
  import { wholeNumber } from ${moduleUrl('cli/options.js')};
  import { listenForInterrupt } from ${moduleUrl('cli/interrupt.js')};
  const entry = (example, load) => ({ summary: 'show ' + example, example, load });
  const failing = (error) => async () => new Command().action(() => { throw error; });
  process.exitCode = await runProgram(process.argv.slice(1), {
    paint: entry('./satin paint blue --coats 2', async () => new Command()
      .argument('<colour>', 'what to paint with')
      .option('--coats <n>', 'layers', wholeNumber('--coats', 1), 1)
      .action((colour, { coats }) => console.log(colour, coats))),
    refuse: entry('./satin refuse', failing(InputError.expected('a brush', 'the tool', 'spoon'))),
    fail: entry('./satin fail', failing(new RunError('non-finite', 'The loss is NaN.'))),
    crash: entry('./satin crash', failing(new TypeError('oops'))),
    broken: entry('./satin broken', async () => { throw new Error('loaded although it is not wanted'); }),
    wait: entry('./satin wait', async () => new Command().option('--stubborn').action(async ({ stubborn }) => {
      const signal = listenForInterrupt();
      console.log('ready');
      while (stubborn || !signal.aborted) await new Promise((resolve) => setTimeout(resolve, 5));
      console.log('written');
      signal.throwIfAborted();
    })),
  });`;

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
