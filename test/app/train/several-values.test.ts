import assert from 'node:assert/strict';
import { it } from 'node:test';
import { requireSeveralValues } from '../../../src/app/train/several-values.js';
import { singleProcess } from '../../../src/distributed/process-group.js';
import { InputError } from '../../../src/errors.js';
import type { ModelDescription } from '../../../src/models/description.js';
import { tinyTraining } from '../../support/tiny-run.js';

const described = (size: number, architecture: ModelDescription['architecture'] = 'resnet18') => ({
  architecture,
  width: 0.25,
  activation: 'silu',
  classes: ['a', 'b'],
  shape: [3, size, size] as const,
  normalise: null,
});
const refused =
  /at least two images for the statistics of batch norm for training\.batch.* but received 1\. Images of \d+x\d+ leave .* 1x1/;

it('one image in a pass and a feature map of one pixel are refused, as PyTorch refuses them', () => {
  const one = tinyTraining('x', { batch: 1 });
  const accumulated = tinyTraining('x', { batch: 16, accumulate: 16 });
  for (const recipe of [one, accumulated])
    for (const [size, architecture] of [
      [8, 'resnet18'],
      [4, 'resnet8'],
      [32, 'efficientnet-b0'],
    ] as const)
      assert.throws(
        () => requireSeveralValues(described(size, architecture), recipe),
        (error) => error instanceof InputError && refused.test(error.message),
        `${architecture} ${size}`,
      );
});

it('two images, or a feature map of several pixels, are enough', () => {
  for (const [size, training] of [
    [8, { batch: 2 }],
    [8, { batch: 16, accumulate: 8 }],
    [16, { batch: 1 }],
    [9, { batch: 1 }],
  ] as const)
    requireSeveralValues(described(size), tinyTraining('x', training));
});

it('ranks that synchronise count together, others apart', () => {
  const two = { ...singleProcess, size: 2, rank: 0 } as typeof singleProcess;
  requireSeveralValues(described(8), tinyTraining('x', { batch: 2 }), two);
  assert.throws(
    () => requireSeveralValues(described(8), tinyTraining('x', { batch: 2, batchNorm: 'ghost' }), two),
    refused,
  );
  const grouped = (ghost: number) => tinyTraining('x', { batch: 16, batchNorm: { ghost } });
  requireSeveralValues(described(8), grouped(2));
  assert.throws(() => requireSeveralValues(described(8), grouped(1)), refused);
});
