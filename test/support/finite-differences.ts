import assert from 'node:assert/strict';
import { tensor } from '../../src/tensor/create.js';
import { gradients, noGrad } from '../../src/tensor/gradient.js';
import { noise } from '../../src/tensor/noise.js';
import { scope } from '../../src/tensor/scope.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { assertClose } from './close.js';

/** Of central differences in float64 with a step of 1e-5: the formula's error is 1e-10, rounding's 1e-11. */
const tolerance = { relative: 1e-6, absolute: 1e-8 };
const step = 1e-5;

/** Float64 numbers from N(0, 1), the same at every call; apart by `salt`. */
export function normals(shape: readonly number[], salt = 0): Tensor {
  return scope(() =>
    noise('normal', {
      key: { seed: 20, stream: 'bench', step: salt },
      ids: [0],
      shape: shape.length === 0 ? [1] : shape,
      dtype: 'float64',
    }).reshape(shape),
  );
}

/**
 * The gradient of `body` equals (f(x + h) − f(x − h)) / 2h for each number of each input, f = Σ weights · body(inputs)
 * with fixed random weights. Inputs are float64.
 */
export function assertGradient(inputs: readonly Tensor[], body: (...inputs: Tensor[]) => Tensor): void {
  scope(() => {
    const leaves = inputs.map((input) => input.detach().clone().requireGrad_());
    const output = body(...leaves);
    const weights = normals(output.shape, 99);
    const slopes = gradients([output], leaves, { outputGradients: [weights] });
    const value = (points: readonly Tensor[]) =>
      scope(() =>
        noGrad(() =>
          body(...points)
            .mul(weights)
            .sum()
            .item(),
        ),
      );
    for (const [which, leaf] of leaves.entries()) {
      const numbers = leaf.numbers();
      const at = (place: number, by: number) =>
        scope(() => {
          const moved = Float64Array.from(numbers);
          moved[place]! += by;
          const point = tensor(moved, leaf.shape);
          return value(leaves.map((other) => (other === leaf ? point : other)));
        });
      const differences = Float64Array.from(
        numbers,
        (_, place) => (at(place, step) - at(place, -step)) / (2 * step),
      );
      assert.ok(differences.length > 0);
      assertClose(slopes[which]!.numbers(), differences, tolerance, `gradient of input ${which}`);
    }
  });
}
