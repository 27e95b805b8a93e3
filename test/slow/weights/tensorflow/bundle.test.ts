/** 2,000 damaged copies of a checkpoint of TensorFlow. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { checkpointNamed, readMutants } from '../../../support/tensorflow-checkpoints.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-mutants-'));
after(() => rmSync(folder, { recursive: true }));

describe('2,000 mutants of the files of a checkpoint', () => {
  it('are refused, or hold the same weights', () => {
    const found = readMutants(checkpointNamed('resnet50-silu'), { count: 2000, seed: 1, folder });
    assert.deepEqual(found.wrong, []);
    assert.equal(found.refused + found.unchanged, 2000);
    assert.ok(found.refused > 1800, `${found.refused} were refused`);
    assert.ok(found.slowest < 2, `one took ${found.slowest} s`);
  });
});
