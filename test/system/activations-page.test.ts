/** What is made from the table of activations is up to date: its page, its figures, its help. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { activationNames, parseActivation } from '../../src/activations/parse.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { child } from '../support/child.js';

setThreads(1);
const root = fileURLToPath(new URL('../../../', import.meta.url));

describe('docs/activations.md', () => {
  const folder = mkdtempSync(join(tmpdir(), 'satin-activations-'));
  after(() => rmSync(folder, { recursive: true }));
  const files = ['activations.md', 'activations-light.svg', 'activations-dark.svg'];
  mkdirSync(join(folder, 'docs'));
  cpSync(join(root, 'scripts'), join(folder, 'scripts'), { recursive: true });
  for (const file of files) cpSync(join(root, 'docs', file), join(folder, 'docs', file));
  for (const name of ['dist', 'node_modules', 'package.json'])
    symlinkSync(join(root, name), join(folder, name));
  const page = join(folder, 'docs', 'activations.md');

  it('has the table and the figures that npm run docs makes, to the byte', () => {
    writeFileSync(page, readFileSync(page, 'utf8').replace('x·σ(x)', 'x'));
    rmSync(join(folder, 'docs', 'activations-dark.svg'));
    const script = join(folder, 'scripts', 'activations-page.mjs');
    const { status, stdout, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(stdout, /^docs\/activations\.md: .*\ndocs\/activations-dark\.svg: .*\n$/);
    for (const file of files)
      assert.deepEqual(
        readFileSync(join(folder, 'docs', file)),
        readFileSync(join(root, 'docs', file)),
        file,
      );
  });
});

describe('satin train --help', () => {
  it('lists every activation with its formula below the options, within 100 columns, without the engine', () => {
    const { output, errors } = child(
      {
        'src/cli/commands/commands.js': 'commands',
        'src/cli/program.js': 'runProgram',
        'src/engine/native.js': 'isLoaded',
      },
      `await runProgram(['train', '--help'], commands);
      console.log('loaded:', isLoaded());`,
    );
    assert.equal(errors, '');
    assert.match(output, /\nloaded: false\n$/);
    const lines = output.split('\n');
    const options = lines.indexOf('Options:');
    for (const name of activationNames) {
      const index = lines.findIndex((line) => line.startsWith(`  ${name} `));
      assert.ok(index > options && options > 0, name);
      assert.ok(lines[index]!.includes(parseActivation(name).formula), lines[index]);
    }
    for (const line of lines) assert.ok(line.length <= 100, line);
  });
});
