import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { placesOf } from '../../../src/data/imagenet/robustbench-subset.js';
import { chosenPlaces, decodePlaces, openSplit } from '../../../src/data/imagenet/splits.js';
import { folder, refused, split } from '../../support/small-imagenet.js';

describe('what is evaluated', () => {
  it('is a draw that keeps the proportions, or the first of the list of RobustBench', async () => {
    const opened = await openSplit({ ...split, dir: folder });
    const chosen = chosenPlaces(opened, { count: 6, seed: 0 });
    assert.deepEqual(
      [...chosen].map((index) => opened.images.labels[index]),
      [0, 0, 1, 1, 2, 2],
    );
    const test = await openSplit({ ...split, dir: folder, split: 'test' });
    const listed = placesOf(
      ['n03/ILSVRC2012_val_00000020.JPEG', 'n01/ILSVRC2012_val_00000000.JPEG'],
      test.images,
    );
    assert.deepEqual([...listed], [2, 0]);
    const data = await decodePlaces({ ...test, name: 'imagenet:robustbench-5000' }, listed, {
      size: 16,
      resize: 20,
      filter: 'bicubic',
      decoding: 'exact',
    });
    assert.deepEqual([[...data.ids], [...data.labels], data.order], [[2, 0], [2, 0], 'file']);
    assert.throws(
      () => placesOf(['n01/ILSVRC2012_val_00000009.JPEG'], test.images),
      refused(/1 of them is missing: n01\//),
    );
  });
});
