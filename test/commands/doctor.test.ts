import assert from 'node:assert/strict';
import { it } from 'node:test';
import { dataNames } from '../../src/data/dataset-names.js';
import { satin } from '../support/tiny-run.js';

it('satin doctor tells of the engine, its speed and the data, a line each, with advice below', () => {
  const { status, stdout, stderr } = satin('doctor');
  assert.deepEqual([status, stderr], [0, '']);
  const lines = stdout.trimEnd().split('\n');
  for (const line of lines) assert.match(line, /^(?:\S.{15} \S| {17}\S)/);
  assert.match(stdout, /^libtorch +\d+\.\d+/m);
  assert.match(stdout, /^matrix product +[1-9]\d* GFLOP\/s$/m);
  const data = dataNames.filter((name) => name !== 'folder');
  assert.deepEqual(
    lines.slice(-data.length).map((line) => line.split(/\s/, 1)[0]),
    data,
  );
});
