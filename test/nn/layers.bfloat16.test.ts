/** `training.precision: bfloat16`: a network computes in it, with weights and gradients in float32. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Model } from '../../src/models/model.js';
import { Initialiser } from '../../src/nn/initialise.js';
import { Conv2d, Linear } from '../../src/nn/layers.js';
import { crossEntropy } from '../../src/nn/losses.js';
import { integers } from '../../src/tensor/create.js';
import { conv2d, linear } from '../../src/tensor/functional.js';
import { gradients } from '../../src/tensor/gradient.js';
import { noise } from '../../src/tensor/noise.js';
import { scope } from '../../src/tensor/scope.js';
import type { Tensor } from '../../src/tensor/tensor.js';

const draw = (seed: number, shape: readonly number[]) =>
  noise('normal', { key: { seed, stream: 'bench' }, ids: [0], shape }).reshape(shape);
const norm = (x: Tensor) => Math.hypot(...x.numbers());
const apart = (a: Tensor, b: Tensor) => norm(a.sub(b)) / norm(b);
/** Half a unit in the last of eight bits. */
const rounding = 2 ** -8;

describe('a layer that multiplies in bfloat16', () => {
  it('gives the product of the rounded numbers, rounded', () =>
    scope(() => {
      const initialiser = new Initialiser(1);
      const x = draw(2, [2, 5, 7, 6]);
      using convolution = new Conv2d({ inputs: 5, outputs: 4, kernel: 3, initialiser });
      using last = new Linear({ inputs: 5, outputs: 4, initialiser });
      const rounded = (tensor: Tensor) => tensor.to('bfloat16').to('float64');
      const cases = [
        [
          convolution.forward(x.to('bfloat16'), { train: true, computeDtype: 'bfloat16' }),
          conv2d(rounded(x), rounded(convolution.weight), { stride: 1, padding: 1 }),
        ],
        [
          last.forward(x.mean([2, 3]).to('bfloat16'), { train: true, computeDtype: 'bfloat16' }),
          linear(rounded(x.mean([2, 3])), rounded(last.weight)),
        ],
      ] as const;
      for (const [ours, exact] of cases) {
        assert.equal(ours.dtype, 'bfloat16');
        const [got, wanted] = [ours.to('float32').numbers(), exact.numbers()];
        for (const [at, value] of got.entries())
          assert.ok(
            Math.abs(value - wanted[at]!) <= rounding * Math.abs(wanted[at]!) + 1e-5,
            `${value}, ${wanted[at]}`,
          );
      }
    }));
});

describe('a network in bfloat16', () => {
  const description = {
    architecture: 'resnet8',
    width: 0.5,
    activation: 'silu',
    classes: ['a', 'b', 'c'],
    shape: [3, 16, 16],
    normalise: null,
  } as const;

  it('has float32 gradients near those of float32 throughout, and its weights stay', () =>
    scope(() => {
      using model = Model.create(description, { seed: 3 });
      const parameters = [...model.network.parameters().values()];
      const before = parameters.map((each) => each.numbers());
      const x = noise('uniform', {
        key: { seed: 4, stream: 'bench' },
        ids: [...Array(8).keys()],
        shape: [3, 16, 16],
      });
      const labels = integers([0, 1, 2, 0, 1, 2, 0, 1]);
      const at = (computeDtype?: 'bfloat16') => {
        const pass = { train: true, keepStatistics: true, ...(computeDtype && { computeDtype }) };
        return gradients([crossEntropy(model.forward(x, pass), labels)], parameters);
      };
      const [exact, rough] = [at(), at('bfloat16')];
      let differs = false;
      for (const [place, gradient] of rough.entries()) {
        assert.equal(gradient.dtype, 'float32');
        if (norm(exact[place]!) < 1e-6) continue;
        const off = apart(gradient, exact[place]!);
        assert.ok(off < 0.1, `parameter ${place} is off by ${off}`);
        differs ||= off > 1e-5;
      }
      assert.ok(differs, 'the network was rounded');
      assert.deepEqual(
        parameters.map((each) => each.numbers()),
        before,
      );
    }));
});
