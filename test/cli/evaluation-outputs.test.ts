/** A resumed evaluation makes what it was begun with, but overwrites nothing and leaves the working directory alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluationOutputs, type StatedOutputs } from '../../src/cli/evaluation-outputs.js';

const nothing = { json: null, report: null, curveExamples: null };

function outputs(stated: StatedOutputs, stored: Parameters<typeof evaluationOutputs>[1]['stored']) {
  const notes: string[] = [];
  return { ...evaluationOutputs(stated, { stored, note: (note) => notes.push(note) }), notes };
}

test('what was asked for at the start is made, unless it is stated anew', () => {
  const stored = { json: '-', report: 'made-up/page.html', curveExamples: 7 };
  assert.deepEqual(outputs({}, stored), {
    json: '-',
    report: 'made-up/page.html',
    curveExamples: 7,
    notes: [],
  });
  const stated = { json: 'r.json', report: '/tmp/p.html', curveExamples: 0 };
  assert.deepEqual(outputs(stated, stored), { ...stated, notes: [] });
  for (const before of [null, nothing])
    assert.deepEqual(outputs({}, before), {
      json: undefined,
      report: undefined,
      curveExamples: undefined,
      notes: [],
    });
});

test('a folder of somebody else names no file elsewhere, and none that exists', () => {
  for (const path of ['/tmp/made-up.html', '../made-up.html', 'a/../../made-up.html', 'package.json'])
    for (const flag of ['json', 'report'] as const) {
      const found = outputs({}, { ...nothing, [flag]: path });
      assert.equal(found[flag], undefined, path);
      assert.match(found.notes.join(), new RegExp(`begun with --${flag} .*: name a file by --${flag}`));
    }
});
