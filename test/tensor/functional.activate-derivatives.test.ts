/** First and second derivatives of every activation, by x and by what is learned, against central differences in float64. */
import { describe, it } from 'node:test';
import { setThreads } from '../../src/engine/engine-info.js';
import { cat, tensor } from '../../src/tensor/create.js';
import type { ActivateOptions } from '../../src/tensor/functional.js';
import { gradients, withGrad } from '../../src/tensor/gradient.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { coefficientsOf, curveOf, kinds, ways } from '../support/curves.js';
import { assertGradient, normals } from '../support/finite-differences.js';

setThreads(1);

const followed = (x: Tensor): Tensor => (x.requiresGrad ? x : x.detach().requireGrad_());

describe('derivatives of activations equal finite differences', () => {
  for (const [way, compute] of Object.entries(ways))
    for (const kind of kinds) {
      const numbers = coefficientsOf[kind];
      const inputs = () => [
        normals([3, 4]).mul(2),
        ...(numbers.length === 0 ? [] : [tensor(Float64Array.from(numbers), [numbers.length])]),
      ];
      const options = (coefficients: Tensor | undefined): ActivateOptions => ({
        curve: curveOf(kind),
        coefficients,
      });

      it(`${kind} of the ${way}: the gradient`, () =>
        assertGradient(inputs(), (x, coefficients) => compute(x!, options(coefficients))));

      /** The gradients of Σ upstream · f(x), as a function of all three. */
      const slopes = (upstream: Tensor, x: Tensor, others: ActivateOptions, wanted: readonly Tensor[]) =>
        withGrad(() => {
          const found = gradients([compute(x, others)], wanted, {
            outputGradients: [upstream],
            createGraph: true,
          });
          return cat(found.map((each) => each.reshape([-1])));
        });

      // identity's gradient does not depend on x
      if (kind !== 'identity')
        it(`${kind} of the ${way}: the gradient’s own gradient, which GradAlign takes`, () =>
          assertGradient([normals([3, 4], 1), ...inputs()], (upstream, ...given) => {
            const [x, coefficients] = given.map(followed);
            return slopes(
              upstream!,
              x!,
              options(coefficients),
              coefficients === undefined ? [x!] : [x!, coefficients],
            );
          }));

      it(`${kind} of the ${way} with another’s derivative: that one’s second derivative`, () =>
        assertGradient([normals([3, 4], 1), normals([3, 4])], (upstream, given) => {
          const x = followed(given!);
          const derivative = { kind: 'softplus', a: 3 } as const;
          return slopes(upstream!, x, { curve: curveOf(kind), derivative }, [x]);
        }));
    }
});
