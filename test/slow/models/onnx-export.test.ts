/**
 * One of each family and every activation in onnxruntime, besides those of test/models/onnx-export.test.ts: in its WebAssembly,
 * and in onnxruntime-node where SATIN_ONNXRUNTIME_NODE names the folder of that package.
 */
import { after, describe, it } from 'node:test';
import { activationNames } from '../../../src/activations/parse.js';
import type { ModelDescription } from '../../../src/models/description.js';
import { requireSameInOnnx } from '../../support/onnx-comparison.js';
import { nativeRuntime, webRuntime } from '../../support/onnx-runtime.js';

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

const largest: { runtime: string; answers: number; gradients: number }[] = [];
after(() => {
  for (const { runtime, answers, gradients } of largest)
    console.log(
      `${runtime}: logits and losses differ by at most ${answers.toExponential(1)} of the largest, input gradients by ${gradients.toExponential(1)}`,
    );
});

const howToInstall =
  'SATIN_ONNXRUNTIME_NODE names no folder: npm install --prefix FOLDER --ignore-scripts onnxruntime-node, and name FOLDER/node_modules/onnxruntime-node';

for (const [name, runtime] of [
  ['onnxruntime-web', webRuntime],
  ['onnxruntime-node', nativeRuntime()],
] as const)
  describe(`a network in ${name}`, { skip: runtime === null && howToInstall }, () => {
    const most = { runtime: name, answers: 0, gradients: 0 };
    largest.push(most);
    const compare = async (
      change: Partial<ModelDescription>,
      options: Parameters<typeof requireSameInOnnx>[1] = {},
    ) => {
      const { answers, gradients } = await requireSameInOnnx(change, { ...options, runtime: runtime! });
      most.answers = Math.max(most.answers, answers);
      most.gradients = Math.max(most.gradients, gradients);
    };

    for (const change of families)
      for (const fold of [true, false])
        it(`answers and differentiates as libtorch does: ${Object.values(change).join(' ')}, ${fold ? '' : 'not '}folded`, () =>
          compare(change, { fold, loss: fold ? 'cross-entropy' : 'margin' }));

    for (const activation of activationNames)
      it(`with the activation ${activation}`, () => compare({ activation, width: 1, shape: [3, 16, 16] }));
  });
