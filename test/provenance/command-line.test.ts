import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { it } from 'node:test';
import { commandLine } from '../../src/provenance/command-line.js';

it('a shell reads from it the words that were given', () => {
  assert.equal(
    commandLine(['report', 'runs/a', '--epsilon', '8/255']),
    './satin report runs/a --epsilon 8/255',
  );
  const words = ['', "it's", 'a b', '$HOME', 'x;y', '"', '\\', 'softplus(10)', '*', 'a\nb'];
  const line = commandLine(words).replace('./satin', "printf '%s\\0'");
  assert.deepEqual(execFileSync('sh', ['-c', line], { encoding: 'utf8' }).split('\0').slice(0, -1), words);
});
