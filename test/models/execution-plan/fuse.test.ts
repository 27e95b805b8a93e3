/** What is no plan; what is one is compared with its network in execution-plan.test.ts. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fuse } from '../../../src/models/execution-plan/fuse.js';
import { Convolution, noPads } from '../../../src/onnx/operators/convolution.js';
import { ChannelProduct, Sigmoid } from '../../../src/onnx/operators/elementwise.js';
import { ChannelPad, Subsample } from '../../../src/onnx/operators/padded-shortcut.js';
import { SpatialMean } from '../../../src/onnx/operators/pooling.js';
import { fixedConstant, type Step, type Value } from '../../../src/onnx/step.js';

const images: Value = { shape: [8, 4, 4] };

/** A network that begins with what its first step reads, and ends in the mean of what its last step computes. */
function fused(...steps: readonly Step[]) {
  const images = steps[0]!.inputs[0]!;
  const { output } = steps.at(-1)!;
  const logits: Value = { shape: [output.shape[0]!] };
  return fuse({ images, steps: [...steps, new SpatialMean([output], logits)], logits });
}

function convolution(channels: number, groups: number): Convolution {
  const shape = [channels, channels / groups, 1, 1];
  const weight = fixedConstant(new Float32Array(channels * (channels / groups)), { shape, name: 'weight' });
  const [input, output] = [{ shape: [channels, 4, 4] }, { shape: [channels, 4, 4] }];
  return new Convolution({ inputs: [input], output, weight, bias: null, stride: 1, pads: noPads, groups });
}

describe('fusing a network into a plan', () => {
  it('knows groups of a power of two', () => {
    for (const groups of [1, 2, 4, 8]) assert.notEqual(fused(convolution(8, groups)), null, `${groups}`);
    assert.equal(fused(convolution(24, 8)), null);
    // No whole vectors of eight.
    assert.equal(fused(convolution(12, 12)), null);
  });

  it('knows a sigmoid as the gate of a product, and nowhere else', () => {
    const mean = new SpatialMean([images], { shape: [8, 1, 1] });
    const gate = new Sigmoid([mean.output], { shape: [8, 1, 1] });
    const product = new ChannelProduct([images, gate.output], { shape: images.shape });
    assert.notEqual(fused(mean, gate, product), null);
    assert.equal(fused(mean, new ChannelProduct([images, mean.output], { shape: images.shape })), null);
    assert.equal(fused(new Sigmoid([images], { shape: images.shape })), null);
    // x · σ(x) of each pixel is no gate of channels.
    const each = new Sigmoid([images], { shape: images.shape });
    assert.equal(fused(each, new ChannelProduct([images, each.output], { shape: images.shape })), null);
  });

  it('knows a subsample as part of a padded shortcut, and nowhere else', () => {
    const rows = new Subsample([images], { shape: [8, 2, 4] }, 2, 2);
    const columns = new Subsample([rows.output], { shape: [8, 2, 2] }, 3, 2);
    const padded = ({ output }: Step) =>
      new ChannelPad([output], { shape: [16, ...output.shape.slice(1)] }, 4, 4);
    assert.notEqual(fused(rows, columns, padded(columns)), null);
    assert.equal(fused(rows, padded(rows)), null);
    assert.equal(fused(rows), null);
    assert.equal(fused(rows, columns), null);
  });
});
