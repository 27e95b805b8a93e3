/** One of each family and every activation in onnxruntime, besides those of test/models/onnx-export.test.ts. */
import { describe, it } from 'node:test';
import { activationNames } from '../../../src/activations/parse.js';
import type { ModelDescription } from '../../../src/models/description.js';
import { requireSameInOnnx } from '../../support/onnx-comparison.js';

const families: readonly Partial<ModelDescription>[] = [
  { architecture: 'resnet20', width: 1 },
  { architecture: 'resnet18', width: 0.25, shape: [3, 32, 32] },
  { architecture: 'preact-resnet18', shape: [3, 32, 32] },
  { architecture: 'wideresnet28-10', width: 0.1, activation: 'gelu', shape: [3, 32, 32] },
  { architecture: 'wideresnet28-10', width: 0.1, padding: 'same', shape: [3, 32, 32] },
  { architecture: 'resnet18-imagenet', shape: [3, 65, 64] },
  { architecture: 'resnet34', shape: [3, 64, 64], padding: 'same' },
  { architecture: 'resnet50', shape: [3, 65, 64] },
  { architecture: 'resnet50', shape: [3, 64, 64], padding: 'same' },
  { architecture: 'resnext50-32x4d', shape: [3, 64, 64], activation: 'softplus(10)' },
  { architecture: 'efficientnet-b0', width: 0.5, shape: [3, 64, 64] },
  { architecture: 'efficientnet-b1', width: 0.5, shape: [3, 65, 64], padding: 'same' },
];

describe('a network in ONNX', () => {
  for (const change of families)
    for (const fold of [true, false])
      it(`answers and differentiates as libtorch does: ${Object.values(change).join(' ')}, ${fold ? '' : 'not '}folded`, async () => {
        await requireSameInOnnx(change, { fold, loss: fold ? 'cross-entropy' : 'margin' });
      });

  for (const activation of activationNames)
    it(`with the activation ${activation}`, async () => {
      await requireSameInOnnx({ activation, width: 1, shape: [3, 16, 16] });
    });
});
