/** Execution plans beside the network that they were made of, in float64: logits and the gradient of the images. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseDerivative } from '../../../src/activations/parse.js';
import { setThreads } from '../../../src/engine/engine-info.js';
import type { ModelName } from '../../../src/models/architectures/names.js';
import { ExecutionPlan } from '../../../src/models/execution-plan/execution-plan.js';
import { Model } from '../../../src/models/model.js';
import { recordModel } from '../../../src/models/record-model.js';
import { crossEntropy } from '../../../src/nn/losses.js';
import { integers } from '../../../src/tensor/create.js';
import { runPlan } from '../../../src/tensor/functional.js';
import { gradient, noGrad } from '../../../src/tensor/gradient.js';
import { noise } from '../../../src/tensor/noise.js';
import { scope } from '../../../src/tensor/scope.js';
import type { Tensor } from '../../../src/tensor/tensor.js';
import { lively } from '../../support/lively-model.js';

setThreads(2);

type Shape = readonly [number, number, number];
const classes = ['a', 'b', 'c', 'd', 'e'];

function images(count: number, shape: Shape): Tensor {
  const ids = Array.from({ length: count }, (_, id) => id);
  return noise('uniform', { key: { seed: 3, stream: 'bench' }, ids, shape });
}

/** The same network in float64. */
function twin(model: Model): Model {
  const other = Model.create(model.description, { seed: null, dtype: 'float64' });
  const state = model.network.state();
  for (const [name, tensor] of other.network.state()) {
    const from = state.get(name)!;
    scope(() => tensor.detach().copy_(from.detach().to(tensor.dtype)));
  }
  return other;
}

/** Logits and the gradient of their cross-entropy. */
function passes(classify: (x: Tensor) => Tensor, x: Tensor) {
  return scope(() => {
    const point = x.detach().requireGrad_();
    const logits = classify(point);
    const labels = integers(Array.from({ length: x.dimension(0) }, (_, id) => id % classes.length));
    const slope = gradient(crossEntropy(logits, labels), point);
    return { logits: logits.numbers(), gradient: slope.numbers() };
  });
}

/** The largest difference, relative to the largest number. */
function apart(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  const numbers = Array.from(expected);
  const largest = Math.max(...numbers.map(Math.abs));
  return Math.max(...numbers.map((each, index) => Math.abs(each - actual[index]!))) / largest;
}

function assertNear(actual: ArrayLike<number>, expected: ArrayLike<number>, relative: number): void {
  const found = apart(actual, expected);
  assert.ok(found <= relative, `${found} of the largest number apart, more than ${relative}`);
}

const subjects: readonly (readonly [ModelName, number, string, Shape, padding?: 'same'])[] = [
  ['resnet18', 0.25, 'silu', [3, 32, 32]],
  ['resnet18', 0.25, 'relu', [3, 32, 32]],
  ['resnet18', 0.1, 'gelu', [3, 18, 23]],
  ['resnet8', 1, 'softplus(3)', [1, 28, 28]],
  // Eight channels, which take half a vector.
  ['resnet8', 0.5, 'silu', [3, 28, 28]],
  ['preact-resnet18', 0.25, 'psilu', [3, 32, 32]],
  ['wideresnet28-10', 0.1, 'elu', [3, 16, 16]],
  ['resnet18-imagenet', 0.25, 'silu', [3, 45, 64], 'same'],
  ['resnet50', 0.25, 'relu', [3, 64, 64]],
  // Groups of 1 and of 2, 4, 8, 16 channels and more, in whole and half vectors; gates.
  ['efficientnet-b0', 0.5, 'silu', [3, 45, 52]],
  ['efficientnet-b0', 0.25, 'softplus(3)', [1, 64, 64], 'same'],
  ['resnext50-32x4d', 0.5, 'silu', [3, 45, 64]],
  ['resnext50-32x8d', 1, 'relu', [3, 40, 33]],
  // Weights that do not fit a cache, which threads share even where each has images of its own.
  ['resnet18', 0.625, 'silu', [3, 12, 12]],
];

describe('an execution plan', () => {
  for (const [architecture, width, activation, shape, padding] of subjects) {
    const model = lively({
      architecture,
      width,
      activation,
      classes,
      shape,
      ...(padding && { padding }),
      normalise: {
        mean: shape.map(() => 0.4).slice(0, shape[0]),
        std: shape.map(() => 0.3).slice(0, shape[0]),
      },
    });
    const plan = ExecutionPlan.make(recordModel(model));

    it(`computes what ${architecture} with ${activation} on ${shape.join('x')} does`, () => {
      assert.ok(plan !== null);
      using exact = twin(model);
      scope(() => {
        const x = images(5, shape);
        const expected = passes(exact.classify, x.to('float64'));
        const actual = passes((each) => plan.classify(each), x);
        // Rounding adds up with depth: the same network without a plan is as far from its twin in float64.
        const former = passes(model.classify, x);
        const rounding = (of: 'logits' | 'gradient') => Math.max(1e-5, 2 * apart(former[of], expected[of]));
        assertNear(actual.logits, expected.logits, rounding('logits'));
        assertNear(actual.gradient, expected.gradient, rounding('gradient'));
        // without a gradient too
        assert.deepEqual(plan.classify(x).numbers(), actual.logits);
      });
    });

    it(`gives the same numbers where threads share the steps of few images, for ${architecture} with ${activation}`, () => {
      for (const [count, threads] of [
        [1, 2],
        [3, 2],
        [4, 3],
        [1, 5],
        [2, 9],
      ] as const) {
        const x = images(count, shape);
        const run = () => passes((each) => plan!.classify(each), x);
        scope(() => {
          setThreads(1);
          const alone = run();
          setThreads(threads);
          const shared = run();
          setThreads(2);
          assert.deepEqual(shared, alone, `${count} by ${threads}`);
        });
        x.dispose();
      }
    });
  }

  const model = lively({
    architecture: 'resnet18',
    width: 0.25,
    activation: 'silu',
    classes,
    shape: [3, 32, 32],
    normalise: null,
  });

  // Groups of three channels.
  const unknown = () => lively({ ...model.description, architecture: 'resnext50-32x4d', width: 0.75 });

  it('gives an image the same numbers in every batch, by any number of threads', () => {
    using plan = ExecutionPlan.make(recordModel(model))!;
    const run = (x: Tensor) => {
      const { logits, gradient } = passes((each) => plan.classify(each), x);
      return [
        logits.slice(0, classes.length),
        gradient.slice(0, 3 * 1024).map((each) => each * x.dimension(0)),
      ];
    };
    scope(() => {
      const x = images(70, [3, 32, 32]);
      const whole = run(x);
      for (const count of [1, 2, 3, 16, 69]) assert.deepEqual(run(x.narrow(0, 0, count))[0], whole[0]);
      setThreads(1);
      const alone = run(x);
      setThreads(2);
      assert.deepEqual(alone, whole);
    });
  });

  for (const activation of ['silu', 'psilu', 'smooth-relu', 'pssilu'])
    it(`is made of the weights of its time, with ${activation}`, () => {
      const { description } = model;
      using trained = lively({ ...description, activation });
      scope(() => {
        const x = images(3, [3, 32, 32]);
        const compare = () => {
          using exact = twin(trained);
          using folded = trained.fold();
          assertNear(
            passes(folded.classify, x).gradient,
            passes(exact.classify, x.to('float64')).gradient,
            1e-3,
          );
          assert.equal(folded.ranBy, 'execution plan');
        };
        compare();
        for (const tensor of trained.network.state().values())
          if (tensor.dtype === 'float32') noGrad(() => tensor.mul_(1.1));
        compare();
      });
    });

  it('takes another activation’s derivative on the way back', () => {
    const derivative = parseDerivative('softplus(2)');
    using plan = ExecutionPlan.make(recordModel(model), derivative.curve)!;
    using exact = twin(model);
    scope(() => {
      const x = images(3, [3, 32, 32]);
      const expected = passes((each) => exact.forward(each, { train: false, derivative }), x.to('float64'));
      const actual = passes((each) => plan.classify(each), x);
      assertNear(actual.logits, expected.logits, 1e-5);
      assertNear(actual.gradient, expected.gradient, 1e-5);
    });
  });

  it('is not made of a network with steps that it does not know', () => {
    using other = unknown();
    assert.equal(ExecutionPlan.make(recordModel(other)), null);
  });

  it('computes each image alone, as a folded model says, whose operators do not', () => {
    using other = unknown();
    using planned = model.fold();
    using operators = other.fold();
    scope(() => {
      const x = images(1, [3, 32, 32]);
      assert.equal(planned.classify.isPerImage?.(x), true);
      assert.equal(planned.classify.isPerImage?.(x.to('float64')), false);
      assert.equal(operators.classify.isPerImage?.(x), false);
    });
  });

  describe('is refused by the engine', () => {
    const plan = ExecutionPlan.make(recordModel(model))!;
    const numbers = Array.from(plan.encoded.numbers.numbers());
    /** Numbers of a step: its fields and its geometry. */
    const size = 21;
    const last = numbers.length - size;
    const store = { from: last + 1, slopes: last + 6, channels: last + 10 };
    /** Runs the plan with one number changed. */
    const run = (at: number, number: number) =>
      scope(() =>
        runPlan(images(1, [3, 32, 32]), {
          ...plan.encoded,
          numbers: integers(numbers.map((each, index) => (index === at ? number : each))),
        }).numbers(),
      );

    it('if a step refers to something that is not kept', () => {
      // The last step stores the gradient of the images and has no slopes.
      assert.equal(numbers[store.slopes], -1);
      for (const number of [-2, 0, 999]) assert.throws(() => run(store.slopes, number), /refers to nothing/);
    });

    it('if a step is of the other direction, or of none', () => {
      for (const kind of [1, 3, 4, 8, 10, 13, 99])
        assert.throws(() => run(last, kind), /none of its direction/);
    });

    it('if it ends in a value of another size, or in no channels', () => {
      assert.throws(() => run(store.from, -1), /ends in a value of another size/);
      assert.throws(() => run(store.channels, 0), /ends in a value of another size/);
    });

    it('if its numbers are not whole ones', () => {
      scope(() => {
        const encoded = { ...plan.encoded, numbers: plan.encoded.curves };
        assert.throws(() => runPlan(images(1, [3, 32, 32]), encoded), /no list of/);
      });
    });
  });

  it('takes no images', () => {
    using plan = ExecutionPlan.make(recordModel(model))!;
    scope(() => {
      const none = plan.classify(images(2, [3, 32, 32]).narrow(0, 0, 0));
      assert.deepEqual(none.shape, [0, classes.length]);
    });
  });
});
