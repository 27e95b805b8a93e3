/** Images are brought to a model in the way that its file says. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadExamples } from '../../../src/app/evaluate/load-examples.js';
import { loadDataset } from '../../../src/data/load-dataset.js';
import { folder } from '../../support/small-imagenet.js';

describe('the images of ImageNet for a model', () => {
  const shape = [3, 16, 16] as const;
  const transform = { resize: 20, filter: 'bicubic', centre: 'tensorpack' } as const;
  const form = { layout: null, decoding: 'exact' } as const;
  const set = { name: 'imagenet', split: 'test', dir: folder } as const;
  const loaded = (imagenet?: Parameters<typeof loadDataset>[0]['imagenet']) =>
    loadDataset({ ...set, size: [16, 16], ...(imagenet && { imagenet }) });
  const examples = { ...set, count: 3, seed: 0 };

  it('are resized as its file says', async () => {
    const found = await loadExamples({ shape, classes: null, transform }, examples);
    assert.deepEqual(found.images, (await loaded({ ...transform, ...form })).images);
    const usual = await loadExamples({ shape, classes: null }, examples);
    assert.deepEqual(usual.images, (await loaded()).images);
    assert.notDeepEqual(found.images, usual.images);
  });

  it('are resized as is asked for, whatever the file says', async () => {
    const imagenet = { ...form, resize: 24, filter: 'bilinear' } as const;
    const found = await loadExamples({ shape, classes: null, transform }, { ...examples, imagenet });
    assert.deepEqual(found.images, (await loaded(imagenet)).images);
  });

  it('are cropped first by the rule of the TPU code', async () => {
    const tpu = { ...transform, centre: 'tpu' } as const;
    const found = await loadExamples({ shape, classes: null, transform: tpu }, examples);
    const other = await loadExamples({ shape, classes: null, transform }, examples);
    assert.deepEqual(found.shape, [3, 16, 16]);
    assert.notDeepEqual(found.images, other.images);
  });
});
