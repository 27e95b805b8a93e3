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
import { type OnnxRuntime, runOnnx, webRuntime } from './onnx-runtime.js';

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

/** Both files, and the largest differences that were found in them. */
export interface Compared {
  readonly forward: Uint8Array;
  readonly inputGradient: Uint8Array;
  /** Of logits and losses, as a part of the largest. */
  readonly answers: number;
  /** Of input gradients, as a part of the largest. */
  readonly gradients: number;
}

/**
 * Exports a network and requires of onnxruntime, for one image and for three, libtorch's logits and losses to 1e-4 of the
 * largest, and its input gradients to 1e-3.
 */
export async function requireSameInOnnx(
  change: Partial<ModelDescription>,
  { fold = true, loss = 'cross-entropy' as Loss, runtime = webRuntime as OnnxRuntime } = {},
): Promise<Compared> {
  using model = lively({ ...description, ...change });
  const { forward, inputGradient } = encodeOnnx(model, { fold, loss, metadata: new Map() });
  const wanted = [1, 3].map((count) => inLibtorch(model, count, loss));
  const answers = await runOnnx(
    forward,
    wanted.map(({ images }) => ({ images })),
    runtime,
  );
  const slopes = await runOnnx(
    inputGradient!,
    wanted.map(({ images, labels }) => ({ images, labels })),
    runtime,
  );
  const largest = { answers: 0, gradients: 0 };
  const compare = (what: keyof typeof largest, name: string, difference: number) => {
    const most = what === 'answers' ? 1e-4 : 1e-3;
    assert.ok(difference <= most, `${name}: ${difference}`);
    largest[what] = Math.max(largest[what], difference);
  };
  for (const [index, { images, ...each }] of wanted.entries()) {
    compare('answers', 'logits', off(answers[index]!.logits!.values, each.logits));
    const found = slopes[index]!;
    assert.deepEqual(found.gradient!.shape, images.shape);
    for (const name of ['logits', 'loss'] as const)
      compare('answers', `${name} beside the gradient`, off(found[name]!.values, each[name]));
    compare('gradients', 'gradient', off(found.gradient!.values, each.gradient));
  }
  return { forward, inputGradient: inputGradient!, ...largest };
}
