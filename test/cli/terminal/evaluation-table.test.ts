import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { evaluationTable } from '../../../src/cli/terminal/evaluation-table.js';
import { madeUp } from '../../support/evaluation-input.js';

const flags = [
  { code: 'square-beats-gradient', message: 'Square broke 9 <examples>. Try --surrogate "softplus(10)".' },
];
const ten = ['plane', 'car', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck & lorry'];
const small = madeUp({ classes: ten, examples: 500, flags });
const thousand = Array.from({ length: 1000 }, (_, label) => `class ${label}, with <more> words`);
const large = madeUp({ classes: thousand, examples: 5000, alone: false, mode: 'custom' });

describe('the table of an evaluation', () => {
  it('fits a terminal of 80 columns, numbers in line', () => {
    for (const result of [small, large]) {
      const lines = evaluationTable(result).split('\n');
      for (const line of lines) assert.ok(line.length <= 80, line);
      const rows = lines.filter((line) => /^(attack|apgd|fab|square) ?/.test(line));
      assert.equal(rows.length, 5);
      assert.equal(new Set(rows.map((row) => row.length)).size, 1, 'the last column ends in line');
    }
  });

  it('tells attacks, what they break alone, both accuracies, and flags with their next step', () => {
    const shown = evaluationTable(small);
    assert.match(shown, /^500 images of photos & more:test, L∞, ε = 8\/255, mode standard\n/);
    assert.match(shown, /attack +attacked +broke +alone +left +time +forwards +backwards/);
    assert.match(shown, /apgd-ce +400 +\d+ +\d+ +\d\d\.\d% +2m 04s +493\.6K +480K/);
    assert.match(shown, /clean accuracy +80\.0% +95 % interval 76\.3% to 83\.3%/);
    assert.match(shown, /flag square-beats-gradient\n {2}Square broke 9 <examples>\. Try/);
    assert.doesNotMatch(evaluationTable(large), /alone|flag/);
  });
});
