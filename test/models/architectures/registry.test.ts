/** Large networks against torchvision's, timm's and RobustBench's (test/golden/network-outputs.json), from the same weights. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setThreads } from '../../../src/engine/engine-info.js';
import { describeGolden, goldenNetworks } from '../../support/golden-outputs.js';

setThreads(1);

describe('large networks equal their sources', () => {
  it('in the golden file', () => {
    assert.deepEqual(
      goldenNetworks.map(({ name, padding }) => (padding === undefined ? name : `${name}, ${padding}`)),
      [
        'resnet50',
        'resnext50-32x4d',
        'wideresnet28-10',
        'preact-resnet18',
        'efficientnet-b0',
        'efficientnet-b0, same', // timm's tf_efficientnet_b0, at an even size
        'efficientnet-b0, same', // and at an odd one
      ],
    );
  });

  // The wide ResNet takes as long as three others: test/slow.
  for (const network of goldenNetworks) if (network.name !== 'wideresnet28-10') describeGolden(network);
});
