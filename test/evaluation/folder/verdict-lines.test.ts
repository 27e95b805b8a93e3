import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseLines, toEntry, toLine } from '../../../src/evaluation/folder/verdict-lines.js';
import type { LedgerEntry } from '../../../src/evaluation/ledger.js';

const ids = [70, 71, 72];
const image = Float32Array.of(0.5);
const entries: LedgerEntry[] = [
  { type: 'clean', index: 2, right: false },
  { type: 'stood', attack: 'fgsm', index: 0 },
  { type: 'broken', attack: 'fgsm', index: 1, image },
  { type: 'cost', stage: 'clean', part: 'sequence', forwards: 3, backwards: 0, seconds: 0.25 },
];

it('an entry comes back from its line, by the id and not by the place', () => {
  const lines = entries.map((entry) => toLine(entry, ids, 4));
  assert.deepEqual(lines[2], { type: 'broken', attack: 'fgsm', id: 71, image: 4 });
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  const images = (number: number) => (number === 4 ? image : assert.fail());
  assert.deepEqual(
    parseLines(text, 'a.jsonl').map((line) => toEntry(line, (id) => ids.indexOf(id), images)),
    entries,
  );
});

it('a last line that was not written to its end is left out, another one is named', () => {
  const whole = '{"type":"clean","id":1,"right":true}\n';
  assert.equal(parseLines(`${whole}{"type":"cl`, 'a.jsonl').length, 1);
  assert.deepEqual(parseLines('', 'a.jsonl'), []);
  assert.throws(() => parseLines(`${whole}{"type":"cl\n`, 'a.jsonl'), /a verdict in line 2 of a\.jsonl/);
  assert.throws(() => parseLines('{"type":"stood","id":1}\n', 'a.jsonl'), /line 1 of a\.jsonl/);
});
