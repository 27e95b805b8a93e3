import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { classWeightsOf, requireClassWeights } from '../../../src/app/train/class-weights.js';
import { consecutiveIds, type Dataset } from '../../../src/data/dataset.js';
import { setThreads } from '../../../src/engine/engine-info.js';
import { InputError } from '../../../src/errors.js';
import { readCheckpoint } from '../../../src/runs/checkpoint.js';
import { attempt } from '../../support/attempt.js';
import { tinyTraining, writeTinyMnist } from '../../support/tiny-run.js';

setThreads(1);
const folder = mkdtempSync(join(tmpdir(), 'satin-class-weights-'));
after(() => rmSync(folder, { recursive: true }));
const dir = join(folder, 'mnist');
writeTinyMnist(dir);

function labelled(classes: readonly string[], labels: readonly number[]): Dataset {
  const { length } = labels;
  return {
    name: 'made up',
    classes,
    shape: [1, 1, 1],
    images: new Uint8Array(length),
    labels: Uint8Array.from(labels),
    ids: consecutiveIds(length),
    order: 'file',
    warnings: [],
  };
}
const weightsOf = (classWeights: unknown, images: Dataset) =>
  classWeightsOf(tinyTraining(dir, { classWeights }), images);

it('balanced is scikit-learn’s, n / (classes n_c)', () => {
  // The example of compute_class_weight in its documentation: y = [1, 1, 1, 1, 0, 0].
  assert.deepEqual(weightsOf('balanced', labelled(['a', 'b'], [1, 1, 1, 1, 0, 0])), [1.5, 0.75]);
  const labels = [0, 0, 0, 1, 2, 2];
  const weights = weightsOf('balanced', labelled(['a', 'b', 'c'], labels))!;
  assert.deepEqual(weights, [6 / 9, 6 / 3, 6 / 6]);
  assert.equal(labels.reduce((sum, label) => sum + weights[label]!, 0) / labels.length, 1);
});

it('a list is taken as it is, and none is none', () => {
  assert.deepEqual(weightsOf([1, 5], labelled(['a', 'b'], [0])), [1, 5]);
  assert.equal(weightsOf(null, labelled(['a', 'b'], [0])), null);
});

it('a list of another length is refused, and classes without images cannot be balanced', () => {
  const refused = (classWeights: unknown, message: RegExp) =>
    assert.throws(
      () => weightsOf(classWeights, labelled(['ant', 'bee', 'cow'], [0, 0, 2])),
      (error) => {
        assert.ok(error instanceof InputError);
        assert.match(error.message, message);
        return true;
      },
    );
  refused(
    [1, 2],
    /3 numbers, one for each of ant, bee, cow, for training\.classWeights but received \[1,2\]/,
  );
  refused('balanced', /training images of every class for training\.classWeights.*There is none of bee\./);
});

it('a list of another length is refused before the classes have names too', () => {
  const given = (classWeights: unknown) => tinyTraining(dir, { classWeights });
  for (const fits of [null, 'balanced', new Array(10).fill(2)]) requireClassWeights(given(fits), 10);
  assert.throws(() => requireClassWeights(given([1, 2]), 10), /Expected 10 numbers, one for each class,/);
});

it('a run learns with them, or is refused before anything is written', async () => {
  const weights = async (name: string, classWeights: unknown) => {
    const path = join(folder, name);
    await attempt({ recipe: tinyTraining(dir, { classWeights, epochs: 2, epochSteps: 3 }), path });
    return readCheckpoint({ path, names: ['last'] }).weightsDigest;
  };
  const found = [
    await weights('none', null),
    await weights('balanced', 'balanced'),
    await weights('list', [9, 1, 1, 1, 1, 1, 1, 1, 1, 1]),
  ];
  assert.equal(new Set(found).size, 3);
  await assert.rejects(weights('short', [1, 2]), /10 numbers/);
  assert.ok(!existsSync(join(folder, 'short')));
});
