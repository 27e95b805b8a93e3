import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { dataNames } from '../../src/data/dataset-names.js';
import { findDataset } from '../../src/data/load-dataset.js';
import { satin, writeTinyMnist } from '../support/tiny-run.js';

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
  assert.match(stdout, /^imagenet +never downloaded; data\.dir of a recipe says where it is$/m);
});

it('a data set is found where all of its files are, and only there', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'satin-doctor-'));
  const before = process.cwd();
  process.chdir(folder);
  try {
    assert.equal(await findDataset('mnist'), null);
    const place = join(process.cwd(), 'data', 'mnist');
    writeTinyMnist(place);
    assert.equal(await findDataset('mnist'), place);
    rmSync(join(place, 't10k-labels-idx1-ubyte'));
    assert.equal(await findDataset('mnist'), null);
  } finally {
    process.chdir(before);
    rmSync(folder, { recursive: true });
  }
});
