/** A resumed evaluation makes what it was begun with, but overwrites nothing and leaves the working directory alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluationOutputs, type StatedOutputs } from '../../src/cli/evaluation-outputs.js';

const nothing = {
  json: null,
  report: null,
  curveExamples: null,
  junit: null,
  requireRobust: null,
  known: null,
};

function outputs(stated: StatedOutputs, stored: Parameters<typeof evaluationOutputs>[1]['stored']) {
  const notes: string[] = [];
  return { ...evaluationOutputs(stated, { stored, note: (note) => notes.push(note) }), notes };
}

test('what was asked for at the start is made, unless it is stated anew', () => {
  const begun = {
    json: '-',
    report: 'made-up/page.html',
    curveExamples: 7,
    junit: 'a.xml',
    requireRobust: 0.5,
  };
  const stored = { ...begun, known: null };
  assert.deepEqual(outputs({}, stored), { ...begun, notes: [] });
  const stated = {
    json: 'r.json',
    report: '/tmp/p.html',
    curveExamples: 0,
    junit: 'b.xml',
    requireRobust: 0,
  };
  assert.deepEqual(outputs(stated, stored), { ...stated, notes: [] });
  for (const before of [null, nothing])
    assert.deepEqual(outputs({}, before), {
      json: undefined,
      report: undefined,
      curveExamples: undefined,
      junit: undefined,
      requireRobust: undefined,
      notes: [],
    });
});

test('a JUnit file needs a robust accuracy, which may be that of the start, and the other way round', () => {
  assert.throws(
    () => outputs({ junit: 'a.xml' }, null),
    /Expected a share, such as 0\.5, for --require-robust/,
  );
  const required = { ...nothing, requireRobust: 0.5 };
  assert.equal(outputs({ junit: 'a.xml' }, required).requireRobust, 0.5);
  const found = outputs({ requireRobust: 0.7 }, { ...required, junit: 'a.xml' });
  assert.deepEqual([found.junit, found.requireRobust], ['a.xml', 0.7]);
  // A folder that was tampered with.
  assert.equal(outputs({}, { ...nothing, junit: 'a.xml' }).junit, undefined);
});

test('a folder of somebody else names no file elsewhere, and none that exists', () => {
  for (const path of ['/tmp/made-up.html', '../made-up.html', 'a/../../made-up.html', 'package.json'])
    for (const flag of ['json', 'report', 'junit'] as const) {
      const found = outputs({}, { ...nothing, requireRobust: 0, [flag]: path });
      assert.equal(found[flag], undefined, path);
      assert.match(found.notes.join(), new RegExp(`begun with --${flag} .*: name a file by --${flag}`));
    }
});
