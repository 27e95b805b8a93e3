import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { it } from 'node:test';
import { imagenetSynsets } from '../../../src/data/imagenet/synsets.js';

it('the synsets of ImageNet are in the order of its labels', () => {
  const names = imagenetSynsets();
  assert.equal(new Set(names).size, 1000);
  assert.deepEqual(names, [...names].sort());
  // Of imagenet_synsets.txt of timm 1.0.31, its lines joined by line feeds.
  assert.equal(
    createHash('sha256').update(names.join('\n')).digest('hex'),
    '385e0240499426c022b773be1ae4da780f057b89c9694c7f47199f62746b6edd',
  );
  // The ten classes of Imagenette, at the places that are used with it.
  const some = [0, 217, 482, 491, 497, 566, 569, 571, 574, 701].map((label) => names[label]);
  assert.deepEqual(
    some,
    'n01440764 n02102040 n02979186 n03000684 n03028079 n03394916 n03417042 n03425413 n03445777 n03888257'.split(
      ' ',
    ),
  );
});
