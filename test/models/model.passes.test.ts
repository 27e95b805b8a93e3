/** Every kind of large network in every kind of pass, narrow and on small images. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseDerivative } from '../../src/activations/parse.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { type ModelName, supportsSamePadding } from '../../src/models/architectures/names.js';
import { Model } from '../../src/models/model.js';
import { crossEntropy } from '../../src/nn/losses.js';
import { integers, tensor } from '../../src/tensor/create.js';
import { gradient, gradients } from '../../src/tensor/gradient.js';
import { scope } from '../../src/tensor/scope.js';
import type { Dtype, Tensor } from '../../src/tensor/tensor.js';
import { assertClose, largestDifference } from '../support/close.js';

setThreads(1);

const kinds = [
  ['resnet18-imagenet', 0.1],
  ['resnet50', 0.1],
  ['resnext50-32x4d', 0.25],
  ['wideresnet28-10', 0.1],
  ['efficientnet-b0', 0.25],
] as const satisfies readonly (readonly [ModelName, number])[];

const labels = [0, 1, 2];

function make(
  [architecture, width]: readonly [ModelName, number],
  options: { activation?: string; dtype?: Dtype; padding?: 'same' } = {},
): Model {
  const { activation = 'silu', dtype = 'float64', padding } = options;
  const description = { architecture, width, activation, classes: ['a', 'b', 'c'], padding } as const;
  const model = Model.create({ ...description, shape: [3, 32, 32], normalise: null }, { seed: 4, dtype });
  // Blocks that begin as the identity would hide what stands in them.
  for (const [name, scale] of model.network.parameters())
    if (scale.shape.length === 1 && /bn\d\.weight$/.test(name))
      scope(() => scale.detach().mul_(0).addNumber_(1.2));
  return model;
}

/** [3, 3, 32, 32] */
function images(dtype: Dtype, shift = 0): Tensor {
  const pixels = Float64Array.from({ length: 9 * 1024 }, (_, i) => 0.5 + 0.5 * Math.sin(0.37 * i + shift));
  return scope(() => tensor(pixels, [3, 3, 32, 32]).to(dtype));
}

for (const kind of kinds)
  describe(`${kind[0]}`, () => {
    it('computes the same with its batch norms folded, in both precisions', () => {
      for (const [dtype, relative, setting] of [
        ['float64', 1e-11, {}],
        ['float32', 1e-4, {}],
        // Padding that differs from side to side goes before the folded convolution too.
        ...(supportsSamePadding(kind[0]) ? [['float64', 1e-11, { padding: 'same' }] as const] : []),
      ] as const) {
        using model = make(kind, { dtype, ...setting });
        using folded = model.fold();
        scope(() => {
          const x = images(dtype);
          const plain = model.classify(x).numbers();
          const absolute = relative * Math.max(...plain.map(Math.abs));
          assertClose(folded.classify(x).numbers(), plain, { relative: 0, absolute }, dtype);
        });
      }
    });

    it('takes another activation’s derivative and keeps its values', () => {
      using model = make(kind);
      const run = (derivative?: string) =>
        scope(() => {
          const x = images('float64').requireGrad_();
          const pass = { train: false, ...(derivative && { derivative: parseDerivative(derivative) }) };
          const logits = model.forward(x, pass);
          const slope = gradient(crossEntropy(logits, integers(labels)), x);
          return { logits: logits.numbers(), slope: slope.numbers() };
        });
      const [own, other] = [run(), run('softplus(2)')];
      assert.deepEqual(other.logits, own.logits);
      assert.ok(largestDifference(other.slope, own.slope) > 0);
    });

    it('is differentiated twice as finite differences are', () => {
      using model = make(kind);
      // ∂/∂w of |∇ₓ loss|² along one direction of the first weights
      const weights = model.network.parameters().values().next().value!;
      const norm = (createGraph: boolean) => {
        const x = images('float64').requireGrad_();
        const logits = model.forward(x, { train: false, doubleBackward: true });
        return gradient(crossEntropy(logits, integers(labels)), x, { createGraph })
          .pow(2)
          .sum();
      };
      scope(() => {
        const [slope] = gradients([norm(true)], [weights]);
        const direction = images('float64', 1).flatten().narrow(0, 0, weights.size).reshape(weights.shape);
        const expected = slope!.mul(direction).sum().item();
        const at = (step: number) => {
          weights.detach().add_(direction, step);
          const value = scope(() => norm(false).item());
          weights.detach().add_(direction, -step);
          return value;
        };
        const difference = (at(1e-6) - at(-1e-6)) / 2e-6;
        assert.ok(expected !== 0);
        assertClose([difference], [expected], { relative: 1e-4, absolute: 0 }, 'second derivative');
      });
    });

    it('has a gradient for everything that it learns', () => {
      for (const activation of ['smooth-relu', 'psilu']) {
        using model = make(kind, { activation, dtype: 'float32' });
        const parameters = model.network.parameters();
        scope(() => {
          const logits = model.forward(images('float32'), { train: true });
          const slopes = gradients([crossEntropy(logits, integers(labels))], [...parameters.values()]);
          for (const [place, name] of [...parameters.keys()].entries())
            assert.ok(Number.isFinite(slopes[place]!.abs().sum().item()), `${activation}: ${name}`);
        });
      }
    });
  });
