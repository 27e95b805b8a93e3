import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { importWeights } from '../../src/app/model/import-weights.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { placeholderClassNames } from '../../src/models/placeholder-class-names.js';
import { crossEntropy } from '../../src/nn/losses.js';
import { integers, tensor } from '../../src/tensor/create.js';
import { gradients } from '../../src/tensor/gradient.js';
import { scope } from '../../src/tensor/scope.js';
import { fromDeepMind } from '../../src/weights/deepmind-names.js';
import { assertClose } from '../support/close.js';
import { readGolden } from '../support/golden.js';

setThreads(1);

interface Golden {
  readonly every: number;
  readonly arrays: readonly { readonly name: string; readonly shape: readonly number[] }[];
  readonly networks: readonly {
    readonly size: number;
    readonly logits: readonly (readonly number[])[];
    readonly gradient: readonly number[];
  }[];
}
const golden = readGolden<Golden>('deepmind-wide-resnet');

/** By the formula of scripts/golden/deepmind_wide_resnet.py. */
const arrays = golden.arrays.map(({ name, shape }, k) => {
  const count = shape.reduce((product, size) => product * size, 1);
  const kind = name.slice(name.lastIndexOf('.') + 1);
  const value = (wave: number) => {
    if (kind === 'running_var') return 1 + 0.5 * Math.abs(wave);
    if (kind === 'weight' && shape.length === 1) return 1 + 0.1 * wave;
    if (kind === 'weight') return wave / Math.sqrt(count / shape[0]!);
    return 0.1 * wave;
  };
  const numbers = Float32Array.from({ length: count }, (_, i) => value(Math.sin(0.7 * i + k)));
  return {
    name: `module.${name}`,
    dtype: 'F32' as const,
    shape,
    read: () => new Uint8Array(numbers.buffer),
  };
});

function imported(size: number, padding?: 'same') {
  const description = {
    architecture: 'wideresnet28-10',
    width: 0.0375,
    activation: 'silu',
    classes: placeholderClassNames(10),
    shape: [3, size, size],
    ...(padding !== undefined && { padding }),
  } as const;
  const normalise = { mean: [0.4914, 0.4822, 0.4465], std: [0.2471, 0.2435, 0.2616] };
  return importWeights(
    { path: 'weights', files: [], arrays, skipped: [] },
    { description, preprocessing: { range: [0, 1], normalise } },
  );
}

describe('a wide residual network of DeepMind', () => {
  for (const { size, logits, gradient } of golden.networks)
    it(`has PyTorch's logits and input gradients, ${size} pixels`, () => {
      const { model, skipped } = imported(size, 'same');
      using owned = model;
      assert.deepEqual(skipped, []);
      scope(() => {
        const count = 2 * 3 * size * size;
        const pixels = Float32Array.from({ length: count }, (_, i) => 0.5 + 0.5 * Math.sin(0.3 * i));
        const x = tensor(pixels, [2, 3, size, size]).requireGrad_();
        const out = owned.classify(x);
        const expected = logits.flat();
        const near = (values: readonly number[], relative: number) => ({
          relative: 0,
          absolute: relative * Math.max(...values.map(Math.abs)),
        });
        assertClose(out.numbers(), expected, near(expected, 1e-4), 'logits');
        const [slope] = gradients([crossEntropy(out, integers([3, 7]))], [x]);
        const found = slope!.numbers().filter((_, at) => at % golden.every === 0);
        assertClose(found, gradient, near(gradient, 1e-3), 'input gradient');
      });
    });

  it('is refused with symmetric padding, which gives other numbers', () => {
    assert.throws(() => imported(32), /Expected same for `padding` but received 'symmetric'/);
  });
});

it('other names are not taken for DeepMind’s', () => {
  for (const name of ['layer.3.0.conv1.weight', 'layer.0.block.0.other.weight', 'conv1.weight', 'fc.bias'])
    assert.equal(fromDeepMind(name), null);
});
