import assert from 'node:assert/strict';
import { attackLosses } from '../../src/attacks/losses.js';
import type { ModelDescription } from '../../src/models/description.js';
import type { Model } from '../../src/models/model.js';
import { encodeOnnx } from '../../src/models/onnx-export.js';
import { integers } from '../../src/tensor/create.js';
import { gradient } from '../../src/tensor/gradient.js';
import { noise } from '../../src/tensor/noise.js';
import { scope } from '../../src/tensor/scope.js';
import { lively } from './lively-model.js';
import { runOnnx } from './onnx-runtime.js';

/** A small network, to be changed. */
export const description: ModelDescription = {
  architecture: 'resnet8',
  width: 0.25,
  activation: 'silu',
  classes: ['a', 'b', 'c'],
  shape: [3, 8, 8],
  normalise: { mean: [0.5, 0.45, 0.4], std: [0.25, 0.2, 0.3] },
};

type Loss = 'cross-entropy' | 'margin';

/** Images, labels, and what libtorch makes of them. */
function inLibtorch(model: Model, count: number, loss: Loss) {
  const { shape, classes } = model.description;
  const labels = Array.from({ length: count }, (_, at) => at % classes.length);
  return scope(() => {
    const key = { seed: 3, stream: 'bench' } as const;
    const x = noise('uniform', { key, ids: [...labels.keys()], shape }).requireGrad_();
    const logits = model.classify(x);
    const tensorLabels = integers(labels);
    const losses = attackLosses[loss === 'margin' ? 'margin' : 'ce'](logits, tensorLabels);
    const slope = gradient(losses.sum(), x);
    const oneHot = labels.flatMap((label) => classes.map((_, at) => Number(at === label)));
    return {
      images: { values: Float32Array.from(x.detach().numbers()), shape: [count, ...shape] },
      labels: { values: Float32Array.from(oneHot), shape: [count, classes.length] },
      logits: logits.detach().numbers(),
      loss: losses.detach().numbers(),
      gradient: slope.numbers(),
    };
  });
}

/** The largest difference, as a part of the largest number. */
function off(found: ArrayLike<number>, wanted: ArrayLike<number>): number {
  assert.equal(found.length, wanted.length);
  let [largest, difference] = [0, 0];
  for (let at = 0; at < wanted.length; at++) {
    largest = Math.max(largest, Math.abs(wanted[at]!));
    difference = Math.max(difference, Math.abs(found[at]! - wanted[at]!));
  }
  assert.ok(largest > 0);
  return difference / largest;
}

/**
 * Exports a network and requires of onnxruntime, for one image and for three, libtorch's logits and losses to 1e-4 of the
 * largest, and its input gradients to 1e-3.
 */
export async function requireSameInOnnx(
  change: Partial<ModelDescription>,
  { fold = true, loss = 'cross-entropy' as Loss } = {},
): Promise<{ readonly forward: Uint8Array; readonly inputGradient: Uint8Array }> {
  using model = lively({ ...description, ...change });
  const { forward, inputGradient } = encodeOnnx(model, { fold, loss, metadata: new Map() });
  const wanted = [1, 3].map((count) => inLibtorch(model, count, loss));
  const answers = await runOnnx(
    forward,
    wanted.map(({ images }) => ({ images })),
  );
  const slopes = await runOnnx(
    inputGradient!,
    wanted.map(({ images, labels }) => ({ images, labels })),
  );
  for (const [index, { images, ...each }] of wanted.entries()) {
    assert.ok(off(answers[index]!.logits!.values, each.logits) <= 1e-4, 'logits');
    const found = slopes[index]!;
    assert.deepEqual(found.gradient!.shape, images.shape);
    for (const name of ['logits', 'loss'] as const)
      assert.ok(off(found[name]!.values, each[name]) <= 1e-4, `${name} beside the gradient`);
    assert.ok(off(found.gradient!.values, each.gradient) <= 1e-3, 'gradient');
  }
  return { forward, inputGradient: inputGradient! };
}
