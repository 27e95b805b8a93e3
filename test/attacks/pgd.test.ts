/** Descent against PyTorch's iterates, and against the optimum of a linear classifier in closed form. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseAttack, parseGradientAttack } from '../../src/attacks/attack.js';
import { type NormName, norms } from '../../src/attacks/norms.js';
import type { Observer } from '../../src/attacks/observer.js';
import { type PgdOptions, pgd } from '../../src/attacks/pgd.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { crossEntropy } from '../../src/nn/losses.js';
import { integers } from '../../src/tensor/create.js';
import { gradient } from '../../src/tensor/gradient.js';
import { scope } from '../../src/tensor/scope.js';
import type { Dtype, Tensor } from '../../src/tensor/tensor.js';
import { assertInside, idsOf, images, key, linearClassifier, pixels } from '../support/ball.js';
import { assertClose } from '../support/close.js';
import { fromGolden, type GoldenTensor, readGolden } from '../support/golden.js';
import { attackedNetwork } from '../support/golden-networks.js';

setThreads(1);

const names = ['linf', 'l2'] as const;

/** w_label − w_other, for each example: the margin falls along it. */
function margins(weights: Float64Array, labels: readonly number[]): number[][] {
  return labels.map((label) =>
    Array.from(
      { length: pixels },
      (_, at) => weights[label * pixels + at]! - weights[(1 - label) * pixels + at]!,
    ),
  );
}

describe('descent equals PyTorch’s, iterate by iterate', () => {
  interface Run extends Pick<PgdOptions, 'epsilon' | 'steps' | 'stepSize'> {
    readonly norm: NormName;
    readonly start: GoldenTensor;
    readonly iterates: readonly GoldenTensor[];
    readonly misclassified: readonly (readonly boolean[])[];
  }
  const golden = readGolden<{
    weights: Readonly<Record<string, GoldenTensor>>;
    images: GoldenTensor;
    labels: readonly number[];
    cleanLogits: GoldenTensor;
    runs: readonly Run[];
  }>('pgd');
  const network = (dtype: Dtype) => attackedNetwork(golden.weights, dtype);

  it('has golden runs in both norms', () => {
    assert.deepEqual(new Set(golden.runs.map(({ norm }) => norm)), new Set(names));
    assert.ok(golden.runs.some(({ misclassified }) => misclassified.flat().includes(true)));
  });

  for (const run of golden.runs)
    for (const [dtype, absolute] of [
      ['float32', 2e-5],
      ['float64', 1e-12],
    ] as const)
      it(`${run.norm}, ${run.steps} steps, ${dtype}`, () =>
        scope(() => {
          const classify = network(dtype);
          const x = fromGolden(golden.images, dtype);
          assertClose(classify(x).numbers(), golden.cleanLogits.values, { relative: 0, absolute }, 'logits');
          const seen: { pixels: Float64Array; wrong: boolean[] }[] = [];
          const observe: Observer = (iterate) => {
            const wrong = [...iterate.logits.argmax(1).numbers()].map(
              (label, row) => label !== golden.labels[row],
            );
            seen.push({ pixels: iterate.x.numbers(), wrong });
            return null;
          };
          const start = fromGolden(run.start, dtype);
          const last = pgd(
            classify,
            { x, labels: integers(golden.labels), start },
            { ...run, norm: norms[run.norm] },
            observe,
          );
          const expected = [run.start, ...run.iterates];
          assert.equal(seen.length, expected.length);
          for (const [step, { values }] of expected.entries()) {
            assertClose(seen[step]!.pixels, values, { relative: 0, absolute }, `iterate ${step}`);
            assert.deepEqual(seen[step]!.wrong, run.misclassified[step]);
          }
          assertClose(last.numbers(), expected.at(-1)!.values, { relative: 0, absolute }, 'the last');
        }));
});

describe('on a linear classifier', () => {
  const labels = [0, 1, 1, 0, 1, 0];
  const run = (x: Tensor, start: Tensor, options: PgdOptions) =>
    pgd(linearClassifier().classify, { x, labels: integers(labels), start }, options);
  const directions = margins(linearClassifier().weights, labels);

  it('L∞ reaches the closed-form optimum x − ε sign(w) in the box, from a random start', () =>
    scope(() => {
      const epsilon = 0.2;
      const x = images(labels.length, [-0.3, 1.3]);
      const before = x.numbers();
      const optimum = Float64Array.from(before, (pixel, at) =>
        Math.min(
          1,
          Math.max(0, pixel - epsilon * Math.sign(directions[Math.floor(at / pixels)]![at % pixels]!)),
        ),
      );
      for (const name of ['pgd-1', 'pgd-10', 'pgd-50']) {
        const { steps, relativeStep } = parseGradientAttack(name);
        const start = norms.linf.randomStart(x, { epsilon, key, ids: idsOf(x) });
        const found = run(x, start, { norm: norms.linf, epsilon, steps, stepSize: relativeStep * epsilon });
        assertClose(found.numbers(), optimum, { relative: 0, absolute: 2e-7 }, name);
      }
    }));

  it('L2 reaches the closed-form optimum x − ε w / ‖w‖ for images inside the box', () =>
    scope(() => {
      const epsilon = 0.3;
      const x = images(labels.length, [0.4, 0.6]);
      const optimum = Float64Array.from(x.numbers(), (pixel, at) => {
        const direction = directions[Math.floor(at / pixels)]!;
        return pixel - (epsilon * direction[at % pixels]!) / Math.hypot(...direction);
      });
      const options = { norm: norms.l2, epsilon };
      const fromImage = run(x, x, { ...options, steps: 10, stepSize: 0.25 * epsilon });
      assertClose(fromImage.numbers(), optimum, { relative: 0, absolute: 1e-6 }, 'from the image');
      const start = norms.l2.randomStart(x, { epsilon, key, ids: idsOf(x) });
      const fromAfar = run(x, start, { ...options, steps: 40, stepSize: epsilon });
      assertClose(fromAfar.numbers(), optimum, { relative: 0, absolute: 1e-6 }, 'from a random start');

      // Steps that end to end are 2.5 ε stop short of the pole: the margin is 98 % of the optimum's and more.
      const { steps, relativeStep } = parseGradientAttack('pgd-50');
      const found = run(x, start, { ...options, steps, stepSize: relativeStep * epsilon })
        .sub(x)
        .numbers();
      for (const [row, direction] of directions.entries()) {
        const fall = -direction.reduce((sum, each, at) => sum + each * found[row * pixels + at]!, 0);
        const share = fall / (epsilon * Math.hypot(...direction));
        assert.ok(share > 0.98 && share < 1 + 1e-5, `${share} of the optimum`);
      }
    }));

  it('FGSM is one step of ε along the sign of the gradient, from the image', () =>
    scope(() => {
      const epsilon = 0.1;
      const fgsm = parseAttack('fgsm');
      assert.deepEqual(fgsm, {
        kind: 'pgd',
        name: 'fgsm',
        loss: 'ce',
        steps: 1,
        relativeStep: 1,
        randomStart: false,
        restarts: 1,
      });
      const x = images(labels.length, [0, 1]).requireGrad_();
      const slope = gradient(crossEntropy(linearClassifier().classify(x), integers(labels)), x);
      const found = run(x.detach(), x.detach(), { norm: norms.linf, epsilon, steps: 1, stepSize: epsilon });
      assertClose(
        found.numbers(),
        x.detach().add(slope.sign().mul(epsilon)).clamp(0, 1).numbers(),
        { relative: 0, absolute: 1e-7 },
        'x′',
      );
    }));
});

describe('every iterate lies in the ball and in the box', () => {
  const labels = integers(Array.from({ length: 24 }, (_, row) => row % 2));
  const { classify } = linearClassifier();
  for (const norm of names)
    for (const epsilon of norm === 'linf' ? [1e-4, 2 / 255, 8 / 255, 0.3, 1] : [1e-2, 0.5, 2, 10])
      it(`${norm}, ε = ${epsilon}`, () =>
        scope(() => {
          const x = images(24, [-0.5, 1.5]); // many pixels are 0 or 1
          const start = norms[norm].randomStart(x, { epsilon, key, ids: idsOf(x) });
          let iterates = 0;
          const observe: Observer = (iterate) => {
            assertInside(norm, iterate.x, x, epsilon);
            iterates++;
            return null;
          };
          for (const relative of [0.25, 2.5])
            pgd(
              classify,
              { x, labels, start },
              { norm: norms[norm], epsilon, steps: 8, stepSize: relative * epsilon },
              observe,
            );
          assert.equal(iterates, 18);
        }));
});
