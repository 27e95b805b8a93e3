import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseAttack, parseGradientAttack } from '../../src/attacks/attack.js';
import { type NormName, norms } from '../../src/attacks/norms.js';
import { type Observer, type PgdOptions, pgd } from '../../src/attacks/pgd.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { InputError } from '../../src/errors.js';
import type { Classifier } from '../../src/nn/classifier.js';
import { crossEntropy } from '../../src/nn/losses.js';
import { integers, tensor } from '../../src/tensor/create.js';
import { linear } from '../../src/tensor/functional.js';
import { gradient } from '../../src/tensor/gradient.js';
import { noise } from '../../src/tensor/noise.js';
import { scope } from '../../src/tensor/scope.js';
import type { Dtype, Tensor } from '../../src/tensor/tensor.js';
import { assertClose, largestDifference } from '../support/close.js';
import { fromGolden, type GoldenTensor, readGolden } from '../support/golden.js';
import { attackedNetwork } from '../support/golden-networks.js';

setThreads(1);

const names = ['linf', 'l2'] as const;
const key = { seed: 8, stream: 'attack' } as const;

/** Random images with pixels in [low, high], [count, 2, 3, 3]; those beyond [0, 1] become 0 and 1. */
function images(count: number, [low, high]: readonly [number, number], dtype: Dtype = 'float32'): Tensor {
  return scope(() => {
    const ids = Array.from({ length: count }, (_, id) => id);
    const draw = noise('uniform', {
      key: { seed: 1, stream: 'bench' },
      ids,
      shape: [2, 3, 3],
      dtype: 'float64',
    });
    return draw
      .mul(high - low)
      .add(low)
      .clamp(0, 1)
      .to(dtype);
  });
}

const idsOf = (x: Tensor) => Array.from({ length: x.dimension(0) }, (_, id) => id);
const pixels = 18;

/** ‖a − b‖ of each example, in plain JavaScript. */
function distances(norm: NormName, a: Tensor, b: Tensor): number[] {
  const [left, right] = [a.numbers(), b.numbers()];
  const size = left.length / a.dimension(0);
  return idsOf(a).map((row) => {
    const differences = Array.from({ length: size }, (_, at) =>
      Math.abs(left[row * size + at]! - right[row * size + at]!),
    );
    return norm === 'linf' ? Math.max(...differences) : Math.hypot(...differences);
  });
}

function assertInside(norm: NormName, moved: Tensor, x: Tensor, epsilon: number): void {
  const allowed = norm === 'linf' ? epsilon + 1e-6 : epsilon * (1 + 1e-5); // design, section 4
  assert.equal(norms[norm].allowed(epsilon), allowed);
  for (const [row, distance] of distances(norm, moved, x).entries())
    assert.ok(distance <= allowed, `example ${row} is ${distance} away, ε = ${epsilon}`);
  assert.ok(
    moved.numbers().every((pixel) => pixel >= 0 && pixel <= 1),
    'in the box',
  );
  assertClose(
    norms[norm].distance(moved, x),
    distances(norm, moved, x),
    { relative: 1e-12, absolute: 1e-15 },
    'distance',
  );
}

/** Two classes, so that the direction that hurts is the same everywhere: the difference of the two rows. */
function linearClassifier(dtype: Dtype = 'float32'): { classify: Classifier; weights: Float64Array } {
  const weight = scope(() =>
    noise('normal', { key: { seed: 2, stream: 'bench' }, ids: [0, 1], shape: [pixels], dtype: 'float64' }).to(
      dtype,
    ),
  );
  return { classify: (x) => linear(x.flatten(1), weight), weights: weight.numbers() };
}

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

describe('a norm', () => {
  for (const norm of names) {
    it(`${norm}: ε = 0 leaves the image as it is, bit for bit`, () =>
      scope(() => {
        const x = images(4, [0, 1]);
        const start = norms[norm].randomStart(x, { epsilon: 0, key, ids: idsOf(x) });
        assert.deepEqual(start.numbers(), x.numbers());
        const options = { norm: norms[norm], epsilon: 0, steps: 3, stepSize: 0.1 };
        const moved = pgd(
          linearClassifier().classify,
          { x, labels: integers([0, 1, 0, 1]), start: x },
          options,
        );
        assert.deepEqual(moved.numbers(), x.numbers());
      }));

    it(`${norm}: where the gradient is 0 the image stays in its place`, () =>
      scope(() => {
        const x = images(3, [0.1, 0.9]);
        const flat: Classifier = (point) => point.flatten(1).narrow(1, 0, 2).mul(0);
        const options = { norm: norms[norm], epsilon: 0.1, steps: 3, stepSize: 0.05 };
        const moved = pgd(flat, { x, labels: integers([0, 1, 0]), start: x }, options);
        assert.ok(largestDifference(moved.numbers(), x.numbers()) < 1e-7);
        assert.equal(norms[norm].direction(x.mul(0)).abs().max().item(), 0);
      }));

    it(`${norm}: a direction has length 1, of the smallest and largest gradients too`, () =>
      scope(() => {
        const slope = images(5, [0, 1], 'float64').sub(0.5);
        const exact = norms[norm].direction(slope).numbers();
        for (const scale of [1, 1e-10, 1e-25, 1e-37, 1e30]) {
          const direction = norms[norm].direction(slope.mul(scale).to('float32'));
          for (const length of distances(norm, direction, direction.mul(0)))
            assert.ok(Math.abs(length - 1) < 1e-6, `length ${length} for gradients of ${scale}`);
          assertClose(
            direction.numbers(),
            exact,
            { relative: 1e-5, absolute: 1e-6 },
            `direction for ${scale}`,
          );
        }
      }));

    it(`${norm}: a point inside ball and box stays where it is, one outside goes to the nearest of the ball`, () =>
      scope(() => {
        const x = images(6, [0.4, 0.6]);
        const step = norms[norm].direction(images(6, [0, 1]).sub(0.5));
        const at = (length: number) => x.add(step.mul(length));
        const projected = (length: number) => norms[norm].project(at(length), x, 0.2).numbers();
        assertClose(projected(0.19), at(0.19).numbers(), { relative: 0, absolute: 1e-7 }, 'inside');
        assertClose(projected(0.7), at(0.2).numbers(), { relative: 0, absolute: 1e-6 }, 'outside');
      }));
  }
});

describe('a random start', () => {
  /** The largest distance of a sample's distribution from the uniform one on [0, 1] (Kolmogorov and Smirnov). */
  const deviation = (sample: readonly number[]) => {
    const sorted = [...sample].sort((a, b) => a - b);
    return Math.max(
      ...sorted.map((value, at) => Math.max(value - at / sorted.length, (at + 1) / sorted.length - value)),
    );
  };
  const count = 4000;
  const critical = 1.95 / Math.sqrt(count); // 1 in 1,000
  const ids = Array.from({ length: count }, (_, id) => id);
  const shape = [count, 1, 2, 2];
  const centre = () => tensor(new Float32Array(count * 4).fill(0.5), shape);

  it('in L∞ is uniform in each pixel', () =>
    scope(() => {
      const start = norms.linf.randomStart(centre(), { epsilon: 0.25, key, ids }).numbers();
      for (const pixel of [0, 3]) {
        const sample = ids.map((id) => (start[id * 4 + pixel]! - 0.25) / 0.5);
        assert.ok(deviation(sample) < critical, `pixel ${pixel}: ${deviation(sample)}`);
      }
    }));

  it('in L2 is uniform in the ball: the radius to the power of the dimensions is uniform, no direction is preferred', () =>
    scope(() => {
      const epsilon = 0.25;
      const x = centre();
      const start = norms.l2.randomStart(x, { epsilon, key, ids });
      const radii = distances('l2', start, x);
      const sample = radii.map((radius) => (radius / epsilon) ** 4);
      assert.ok(deviation(sample) < critical, `${deviation(sample)}`);
      // A coordinate of a uniform point in the 4-ball of radius ε has mean 0 and variance ε² / 6.
      const moved = start.sub(x).numbers();
      for (let pixel = 0; pixel < 4; pixel++) {
        const column = ids.map((id) => moved[id * 4 + pixel]! / epsilon);
        const mean = column.reduce((sum, each) => sum + each, 0) / count;
        const square = column.reduce((sum, each) => sum + each ** 2, 0) / count;
        assert.ok(Math.abs(mean) < 4 / Math.sqrt(6 * count), `mean ${mean}`);
        assert.ok(Math.abs(square - 1 / 6) < 0.02, `variance ${square}`);
      }
    }));

  for (const norm of names)
    it(`in ${norm} depends on the example’s id alone, and differs from restart to restart`, () =>
      scope(() => {
        const x = images(6, [-0.2, 1.2]);
        const start = (rows: readonly number[], restart = 0) =>
          norms[norm].randomStart(x.indexSelect(0, integers(rows)), {
            epsilon: 0.3,
            key: { ...key, restart },
            ids: rows.map((row) => 100 + row),
          });
        const whole = start([0, 1, 2, 3, 4, 5]).numbers();
        for (const row of [0, 3, 5])
          assert.deepEqual(start([row]).numbers(), whole.slice(row * pixels, (row + 1) * pixels));
        const shuffled = start([4, 2, 0]).numbers();
        assert.deepEqual(shuffled.slice(0, pixels), whole.slice(4 * pixels, 5 * pixels));
        assert.notDeepEqual(start([0, 1, 2, 3, 4, 5], 1).numbers(), whole);
        assertInside(norm, start([0, 1, 2, 3, 4, 5]), x, 0.3);
      }));
});

describe('an observer', () => {
  const options = { norm: norms.linf, epsilon: 0.1, steps: 4, stepSize: 0.05 };
  const labels = [0, 1, 0, 1, 0];

  it('sees every iterate, and what it is done with leaves the batch at once', () =>
    scope(() => {
      const { classify } = linearClassifier();
      const x = images(5, [0.3, 0.7]);
      const shown: (readonly number[])[] = [];
      const sizes: number[] = [];
      const counting: Classifier = (point) => {
        sizes.push(point.dimension(0));
        return classify(point);
      };
      // Lets example `step` go at its step, from 1 on.
      const observe: Observer = ({ x: point, logits, rows }) => {
        assert.equal(point.dimension(0), rows.length);
        assert.deepEqual(logits.shape, [rows.length, 2]);
        shown.push(rows);
        return rows.flatMap((row, place) => (row === shown.length - 1 && row > 0 ? [] : [place]));
      };
      const last = pgd(counting, { x, labels: integers(labels), start: x }, options, observe);
      assert.deepEqual(shown, [
        [0, 1, 2, 3, 4],
        [0, 1, 2, 3, 4],
        [0, 2, 3, 4],
        [0, 3, 4],
        [0, 4],
      ]);
      assert.deepEqual(sizes, [5, 5, 4, 3, 2]);
      // Those that stayed went on as if nobody had left.
      const alone = pgd(classify, { x, labels: integers(labels), start: x }, options);
      assert.deepEqual(last.numbers(), alone.indexSelect(0, integers([0, 4])).numbers());
    }));

  it('ends the descent where nobody is left', () =>
    scope(() => {
      let passes = 0;
      const counting: Classifier = (point) => {
        passes++;
        return linearClassifier().classify(point);
      };
      const x = images(5, [0.3, 0.7]);
      const last = pgd(counting, { x, labels: integers(labels), start: x }, options, ({ rows }) =>
        passes === 2 ? [] : rows.map((_, place) => place),
      );
      assert.equal(passes, 2);
      assert.deepEqual(last.shape, [0, 2, 3, 3]);
    }));

  it('costs one pass forward more: without it the last iterate is not looked at', () =>
    scope(() => {
      let passes = 0;
      const counting: Classifier = (point) => {
        passes++;
        return linearClassifier().classify(point);
      };
      const x = images(5, [0.3, 0.7]);
      const start = { x, labels: integers(labels), start: x };
      pgd(counting, start, options);
      assert.equal(passes, 4);
      pgd(counting, start, options, () => null);
      assert.equal(passes, 9);
    }));
});

describe('names of attacks', () => {
  it('stand for steps, their length and restarts', () => {
    assert.deepEqual(parseAttack('pgd-50'), {
      kind: 'pgd',
      name: 'pgd-50',
      loss: 'ce',
      steps: 50,
      relativeStep: 0.05,
      randomStart: true,
      restarts: 1,
    });
    assert.equal(parseAttack('pgd-50-10').restarts, 10);
    assert.equal(parseGradientAttack('pgd-1').relativeStep, 2.5);
  });

  it('that are unknown are refused', () => {
    for (const name of [
      '',
      'pgd',
      'pgd-0',
      'PGD-5',
      'pgd-5-0',
      'pgd--5',
      'pgd-1.5',
      'pgd-05',
      'fgsm-2',
      'apgd',
      'pgd-5-2-1',
      ' pgd-5',
    ])
      assert.throws(
        () => parseAttack(name),
        (error) => error instanceof InputError && /Expected fgsm, pgd-STEPS or/.test(error.message),
        name,
      );
  });
});
