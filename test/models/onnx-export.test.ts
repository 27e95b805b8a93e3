/** Exported networks in onnxruntime; test/slow/models/onnx-export.test.ts has the other families and activations. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromBinary } from '@bufbuild/protobuf';
import { memoryInfo, setThreads } from '../../src/engine/engine-info.js';
import type { ModelDescription } from '../../src/models/description.js';
import { encodeOnnx } from '../../src/models/onnx-export.js';
import { recordModel } from '../../src/models/record-model.js';
import { ModelProtoSchema } from '../../src/onnx/generated/onnx_pb.js';
import { zeros } from '../../src/tensor/create.js';
import { scope } from '../../src/tensor/scope.js';
import { lively } from '../support/lively-model.js';
import { description, requireSameInOnnx } from '../support/onnx-comparison.js';

setThreads(1);

const operatorsOf = (bytes: Uint8Array) => [
  ...new Set(fromBinary(ModelProtoSchema, bytes).graph!.node.map(({ opType }) => opType)),
];

describe('a network in ONNX', () => {
  const families: readonly Partial<ModelDescription>[] = [
    { architecture: 'resnet18', width: 0.0625, activation: 'relu' },
    { architecture: 'preact-resnet18', width: 0.0625 },
    { architecture: 'resnet18-imagenet', width: 0.125, shape: [3, 33, 32], padding: 'same' },
    { architecture: 'efficientnet-b0', width: 0.1, shape: [3, 33, 32], padding: 'same' },
  ];
  for (const change of families)
    it(`answers and differentiates as libtorch does: ${Object.values(change).join(' ')}`, async () => {
      await requireSameInOnnx(change);
    });

  it('with batch norm of its own, learned coefficients, and the margin', async () => {
    const { forward } = await requireSameInOnnx(
      { activation: 'smooth-relu', normEpsilon: 1e-3 },
      { fold: false, loss: 'margin' },
    );
    assert.ok(operatorsOf(forward).includes('BatchNormalization'));
    await requireSameInOnnx(
      { architecture: 'preact-resnet18', width: 0.0625, activation: 'pssilu', normalise: null },
      { fold: false },
    );
  });

  it('consists of few operators when folded, and of no arithmetic with whole numbers', async () => {
    const { forward, inputGradient } = await requireSameInOnnx({});
    assert.deepEqual(operatorsOf(forward).sort(), [
      'Add',
      'Conv',
      'Div',
      'Gemm',
      'Identity',
      'Max',
      'Mul',
      'Pad',
      'ReduceMean',
      'Sigmoid',
      'Slice',
      'Sub',
    ]);
    const { node, initializer, input } = fromBinary(ModelProtoSchema, inputGradient).graph!;
    // int64 constants are shapes, axes and pads: never the first input of an operator.
    const whole = new Set(initializer.filter(({ dataType }) => dataType === 7).map(({ name }) => name));
    assert.ok(whole.size > 0);
    assert.ok(node.every(({ input: [first] }) => !whole.has(first!)));
    assert.deepEqual(
      input.map(({ name }) => name),
      ['images', 'labels'],
    );
  });

  it('holds each weight once, under PyTorch’s name', () => {
    using model = lively(description);
    const { inputGradient } = encodeOnnx(model, { fold: false, loss: 'margin', metadata: new Map() });
    const names = fromBinary(ModelProtoSchema, inputGradient!).graph!.initializer.map(({ name }) => name);
    for (const name of model.network.state().keys())
      if (!name.endsWith('num_batches_tracked')) assert.ok(names.includes(name), name);
    assert.ok(!names.some((name) => name.includes('weight_2')));
  });

  it('leaves no tensor behind', () => {
    using model = lively({ ...description, activation: 'psilu' });
    recordModel(model);
    const { liveTensors } = memoryInfo();
    recordModel(model);
    assert.equal(memoryInfo().liveTensors, liveTensors);
    scope(() => {
      const x = zeros([2, ...description.shape]);
      using folded = model.fold();
      folded.classify(x);
      assert.equal(folded.ranBy, 'execution plan');
    });
    assert.equal(memoryInfo().liveTensors, liveTensors);
  });
});
