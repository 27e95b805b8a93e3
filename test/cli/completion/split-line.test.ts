import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitLine } from '../../../src/cli/completion/split-line.js';

test('a line is split as a shell splits it, up to the word that is being typed', () => {
  for (const [line, words] of [
    ['satin', ['satin']],
    ['satin ', ['satin', '']],
    ['satin  train\tx', ['satin', 'train', 'x']],
    ["satin train 'a b' \"c 'd'\" e\\ f", ['satin', 'train', 'a b', "c 'd'", 'e f']],
    ["satin train 'a b", ['satin', 'train', 'a b']],
    ['satin --set a=1', ['satin', '--set', 'a=1']],
    ["x 'a'\\''b' y", ['x', "a'b", 'y']],
    ['satin \\', ['satin', '']],
    ['', ['']],
  ] as const)
    assert.deepEqual(splitLine(line), words, line);
});
