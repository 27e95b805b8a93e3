import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, it } from 'node:test';
import { commandLine } from '../../src/provenance/command-line.js';
import { packageFolder } from '../../src/provenance/package-folder.js';

it('a shell reads from it the words that were given', () => {
  assert.equal(
    commandLine(['report', 'runs/a', '--epsilon', '8/255']),
    './satin report runs/a --epsilon 8/255',
  );
  const words = ['', "it's", 'a b', '$HOME', 'x;y', '"', '\\', 'softplus(10)', '*', 'a\nb'];
  const line = commandLine(words).replace('./satin', "printf '%s\\0'");
  assert.deepEqual(execFileSync('sh', ['-c', line], { encoding: 'utf8' }).split('\0').slice(0, -1), words);
});

it('names the program as it was typed, which its launcher passes on', () => {
  const folder = mkdtempSync(join(tmpdir(), 'satin-typed-'));
  after(() => rmSync(folder, { recursive: true }));
  // Answers as Node does for its version, and else with what the launcher passed on.
  const node = join(folder, 'node');
  writeFileSync(node, '#!/bin/sh\n[ "$1" = --version ] && echo v20.20.0 || echo "$SATIN_COMMAND"\n');
  chmodSync(node, 0o755);
  symlinkSync(join(packageFolder, 'satin'), join(folder, 'satin'));
  const typed = (word: string) =>
    execFileSync('sh', ['-c', `${word} train`], {
      cwd: packageFolder,
      encoding: 'utf8',
      env: { PATH: `${folder}:/usr/bin:/bin` },
    }).trim();
  for (const word of ['satin', './satin', '../*/satin'.replace('*', basename(packageFolder))])
    assert.equal(typed(word), word);
  process.env.SATIN_COMMAND = '/opt/my satin/satin';
  try {
    assert.equal(commandLine(['train', 'runs/a']), "'/opt/my satin/satin' train runs/a");
  } finally {
    delete process.env.SATIN_COMMAND;
  }
});
