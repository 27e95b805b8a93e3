/** Activations inside networks: what they learn, and another activation's derivative in one of the passes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { forward, withBackward } from '../../src/activations/activation.js';
import { parseActivation, parseDerivative } from '../../src/activations/parse.js';
import { norms } from '../../src/attacks/norms.js';
import { setThreads } from '../../src/engine/engine-info.js';
import type { ModelName } from '../../src/models/architectures/names.js';
import { Model } from '../../src/models/model.js';
import { crossEntropy } from '../../src/nn/losses.js';
import type { Pass } from '../../src/nn/module.js';
import { integers } from '../../src/tensor/create.js';
import { activate } from '../../src/tensor/functional.js';
import { gradient, gradients, withGrad } from '../../src/tensor/gradient.js';
import { scope } from '../../src/tensor/scope.js';
import type { Dtype } from '../../src/tensor/tensor.js';
import { adversarial } from '../../src/training/objectives/adversarial.js';
import { adversarialCrossEntropy, clean } from '../../src/training/objectives/objective.js';
import { perturb } from '../../src/training/objectives/training-attack.js';
import { blobs, smallModel, training } from '../support/blobs.js';
import { assertClose } from '../support/close.js';
import { assertGradient, normals } from '../support/finite-differences.js';
import { smallNetworks } from '../support/small-networks.js';

setThreads(1);

const make = (activation: string, options: { architecture?: ModelName; dtype?: Dtype } = {}) => {
  const { architecture = 'resnet8', dtype = 'float32' } = options;
  const description = { width: 0.25, classes: ['a', 'b', 'c'], shape: [1, 8, 8], normalise: null } as const;
  return Model.create({ ...description, architecture, activation }, { seed: 2, dtype });
};
const learnedNames = (model: Model) =>
  [...model.network.parameters().keys()].filter((name) => /act/.test(name));

describe('learned coefficients', () => {
  it('of SmoothReLU are one a place, in every network', () => {
    using model = make('smooth-relu');
    assert.deepEqual(learnedNames(model), [
      'act1.r',
      ...['layer1', 'layer2', 'layer3'].flatMap((layer) => [`${layer}.0.act1.r`, `${layer}.0.act2.r`]),
    ]);
    for (const name of learnedNames(model))
      assert.deepEqual([...model.network.state().get(name)!.numbers()], [20]);
    for (const architecture of smallNetworks) {
      using relu = make('relu', { architecture });
      using smooth = make('smooth-relu', { architecture });
      const convolutions = [...relu.network.parameters().keys()].filter((name) => /conv\d/.test(name));
      assert.equal(smooth.parameterCount - relu.parameterCount, convolutions.length, architecture);
    }
  });

  it('of PSiLU and PSSiLU are one set a network', () => {
    using psilu = make('psilu');
    assert.deepEqual(learnedNames(psilu), ['act1.alpha']);
    using pssilu = make('pssilu');
    assert.deepEqual(learnedNames(pssilu), ['act1.alpha', 'act1.beta']);
    assert.deepEqual([...pssilu.network.state().get('act1.beta')!.numbers()], [Math.fround(1e-8)]);
    using preact = make('psilu', { architecture: 'preact-resnet18' });
    assert.equal(learnedNames(preact).length, 1);
  });

  it('of a fixed coefficient are none', () => {
    using model = make('smooth-relu(30)');
    assert.deepEqual(learnedNames(model), []);
  });

  for (const activation of ['smooth-relu', 'psilu', 'pssilu'])
    it(`of ${activation} have the gradient that finite differences have`, () => {
      using model = make(activation, { dtype: 'float64' });
      const parameters = model.network.parameters();
      const names = learnedNames(model).slice(0, 3);
      // 400 is too close to a kink for differences; a softer one has the same formula.
      scope(() => {
        for (const name of names) if (activation === 'smooth-relu') parameters.get(name)!.detach().mul_(0.05);
      });
      const loss = () => {
        const x = normals([4, 1, 8, 8], 3);
        const logits = model.forward(x, { train: true, keepStatistics: true });
        return crossEntropy(logits, integers([0, 1, 2, 0]));
      };
      scope(() => {
        const coefficients = names.map((name) => parameters.get(name)!);
        const slopes = gradients([loss()], coefficients);
        for (const [place, coefficient] of coefficients.entries()) {
          const value = coefficient.item();
          const step = 1e-5 * Math.max(1, Math.abs(value));
          const at = (shifted: number) => {
            scope(() => coefficient.detach().mul_(0).addNumber_(shifted));
            return scope(() => loss().item());
          };
          // β of PSSiLU starts beside the kink of |β|: differences stay on one side of it.
          const [low, high] = names[place] === 'act1.beta' ? [0, 2 * step] : [value - step, value + step];
          const difference = (at(high!) - at(low!)) / (high! - low!);
          at(value);
          const slope = slopes[place]!.item();
          assert.ok(
            Math.abs(slope - difference) <= 1e-4 * Math.abs(difference) + 1e-8,
            `${names[place]}: ${slope} and ${difference}`,
          );
        }
      });
    });

  it('move in training, and are not decayed', () => {
    const dataset = blobs(128);
    using model = smallModel(dataset, { activation: 'smooth-relu' });
    using steps = training(model, dataset, clean());
    const before = model.network.state().get('act1.r')!.item();
    for (let step = 0; step < 4; step++) steps.step();
    const moved = model.network.state().get('act1.r')!;
    assert.notEqual(moved.item(), before);
    assert.equal(moved.shape.length, 1, 'what has one dimension is not decayed');
  });
});

describe('the derivative of another activation', () => {
  const derivative = parseDerivative('softplus(10)');
  const run = (pass: Pass, activation = 'relu') =>
    scope(() => {
      using model = make(activation);
      const x = normals([3, 1, 8, 8], 5).to('float32').requireGrad_();
      const logits = model.forward(x, pass);
      return { values: logits.numbers(), slope: gradient(logits.mul(logits).sum(), x).numbers() };
    });

  for (const train of [true, false])
    it(`leaves the values as they are to the bit and changes the gradient, in ${train ? 'training' : 'evaluation'}`, () => {
      const [own, other] = [run({ train }), run({ train, derivative })];
      assert.deepEqual(other.values, own.values);
      assert.notDeepEqual(other.slope, own.slope);
      assert.deepEqual(run({ train, derivative: parseActivation('relu') }), own);
    });

  it('is the second activation’s to the bit where one layer stands alone', () => {
    scope(() => {
      const x = normals([2, 3, 5]).to('float32').requireGrad_();
      const relu = parseActivation('relu').curve;
      const mixed = forward(withBackward(parseActivation('relu'), derivative), x);
      assert.deepEqual(mixed.numbers(), activate(x, { curve: relu }).numbers());
      const smooth = activate(x, { curve: derivative.curve });
      assert.deepEqual(gradient(mixed.sum(), x).numbers(), gradient(smooth.sum(), x).numbers());
    });
  });

  it('goes to the attack or to the update, as it is set', () => {
    const dataset = blobs(32);
    const attack = {
      norm: norms.linf,
      epsilon: 0.1,
      steps: 2,
      stepSize: 0.06,
      start: { kind: 'uniform' },
      batchNorm: 'eval',
    } as const;
    const place = { seed: 0, epoch: 1, step: 0, stepsPerEpoch: 1, part: 0, first: 0 };
    const learned = (options: { attack?: boolean; update?: boolean }) =>
      scope(() => {
        using model = smallModel(dataset, { activation: 'relu' });
        const x = normals([8, 2, 8, 8], 1).to('float32').mul(0.2).add(0.5).clamp(0, 1);
        const batch = { x, labels: integers([0, 1, 2, 3, 0, 1, 2, 3]), ids: [0, 1, 2, 3, 4, 5, 6, 7] };
        const made = { ...attack, ...(options.attack && { derivative }) };
        const pass = { train: true, ...(options.update && { derivative }) };
        const images = perturb(model, batch, made, place).numbers();
        const objective = adversarial({ attack: made, loss: adversarialCrossEntropy(0), pass });
        const { loss, gradients: slopes } = objective.computeGradients(model, batch, place);
        return { images, loss: loss.item(), slopes: slopes.map((slope) => slope.numbers()) };
      });
    const [neither, attacked, updated, both] = [
      learned({}),
      learned({ attack: true }),
      learned({ update: true }),
      learned({ attack: true, update: true }),
    ];
    assert.deepEqual(updated.images, neither.images, 'the update does not change the attack');
    assert.equal(updated.loss, neither.loss, 'nor any value');
    assert.notDeepEqual(updated.slopes, neither.slopes);
    assert.notDeepEqual(attacked.images, neither.images);
    assert.deepEqual(both.images, attacked.images);
    assert.equal(both.loss, attacked.loss);
    assert.notDeepEqual(both.slopes, attacked.slopes);
  });

  it('is refused where a coefficient is learned from it, and serves an attack there', () => {
    assert.throws(
      () =>
        scope(() => {
          using model = make('smooth-relu');
          const logits = model.forward(normals([2, 1, 8, 8]).to('float32'), { train: true, derivative });
          gradient(logits.sum(), model.network.parameters().get('act1.r')!);
        }),
      /learned coefficient has no gradient/,
    );
    scope(() => {
      using model = make('smooth-relu');
      using folded = model.fold({ derivative });
      const x = normals([2, 1, 8, 8]).to('float32').requireGrad_();
      const logits = folded.classify(x);
      const exact = model.classify(x);
      assertClose(logits.numbers(), exact.numbers(), { relative: 1e-5, absolute: 1e-5 }, 'logits');
      assert.ok(gradient(logits.sum(), x).numbers().every(Number.isFinite));
    });
  });
});

describe('a pass that is differentiated twice', () => {
  for (const activation of ['silu', 'smooth-relu(3)', 'gelu'])
    it(`has right second derivatives with ${activation}`, () => {
      using model = make(activation, { dtype: 'float64' });
      scope(() =>
        assertGradient([normals([2, 1, 8, 8], 4)], (x) =>
          withGrad(() => {
            const point = x!.requiresGrad ? x! : x!.detach().requireGrad_();
            const pass = { train: true, keepStatistics: true, doubleBackward: true };
            const logits = model.network.frozen(() => model.forward(point, pass));
            return gradient(crossEntropy(logits, integers([0, 2])), point, { createGraph: true });
          }),
        ),
      );
    });
});
