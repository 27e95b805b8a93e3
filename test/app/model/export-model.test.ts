/** Weights that are exported as safetensors say themselves what they are. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { exportModel } from '../../../src/app/model/export-model.js';
import { readModelFile } from '../../../src/app/model/read-model-file.js';
import { setThreads } from '../../../src/engine/engine-info.js';
import { readCheckpoint } from '../../../src/runs/checkpoint.js';
import { readSafetensors } from '../../../src/weights/safetensors.js';
import { bits, file, form, normalise, tiny } from '../../support/foreign-weights.js';

setThreads(1);
const temporary = mkdtempSync(join(tmpdir(), 'satin-import-'));
after(() => rmSync(temporary, { recursive: true }));

describe('a model that is exported as safetensors', () => {
  const out = join(temporary, 'out.safetensors');

  it('says itself what it is, and holds the same bits under the same names', () => {
    const { skipped } = exportModel(readModelFile(file('wrapped.pt'), { external: form }), {
      format: 'safetensors',
      out,
    });
    assert.equal(skipped.length, 10);
    assert.deepEqual(bits(readSafetensors(out).arrays), bits(tiny.arrays));
    const { model } = readCheckpoint({ path: out });
    assert.deepEqual(model, {
      architecture: 'resnet8',
      width: 0.0625,
      activation: 'relu',
      classes: ['a', 'b', 'c'],
      shape: [3, 8, 8],
      normalise,
    });
  });

  it('is written the same again from itself', () => {
    const again = join(temporary, 'again.safetensors');
    exportModel(readModelFile(out), { format: 'safetensors', out: again });
    assert.deepEqual(readFileSync(again), readFileSync(out));
  });
});
