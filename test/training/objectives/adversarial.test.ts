/** What an option of an objective does, and all that it must leave alone. */
import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { parseActivation } from '../../../src/activations/parse.js';
import { norms } from '../../../src/attacks/norms.js';
import { memoryInfo, setThreads } from '../../../src/engine/engine-info.js';
import { InputError } from '../../../src/errors.js';
import type { Model } from '../../../src/models/model.js';
import type { Pass } from '../../../src/nn/module.js';
import { tensor } from '../../../src/tensor/create.js';
import { noGrad } from '../../../src/tensor/gradient.js';
import { scope } from '../../../src/tensor/scope.js';
import type { Tensor } from '../../../src/tensor/tensor.js';
import { adversarial } from '../../../src/training/objectives/adversarial.js';
import {
  clean,
  type Objective,
  type StepContext,
  type TrainingLoss,
} from '../../../src/training/objectives/objective.js';
import { trades } from '../../../src/training/objectives/trades.js';
import {
  drawsCleanStart,
  perturb,
  type TrainingAttack,
} from '../../../src/training/objectives/training-attack.js';
import { assertClose, largestDifference } from '../../support/close.js';
import {
  epsilon,
  firstPlace,
  numbersOf,
  objectives,
  pgd,
  randomBatch,
  tinyModel,
} from '../../support/objectives.js';

setThreads(1);

interface Seen {
  readonly pass: Pass;
  readonly pixels: Float64Array;
}

/** Every pass through a model while `body` runs, in order. */
function passesOf(model: Model, body: () => void): Seen[] {
  const seen: Seen[] = [];
  const forward = model.forward.bind(model);
  const spy = mock.method(model, 'forward', (x: Tensor, pass: Pass) => {
    seen.push({ pass, pixels: x.numbers() });
    return forward(x, pass);
  });
  try {
    scope(body);
  } finally {
    spy.mock.restore();
  }
  return seen;
}

/** An attack that earlier steps do not change: it looks at no running statistics. */
const still: TrainingAttack = { ...pgd, batchNorm: 'train' };
const learnsFrom = ({ pass }: Seen) => pass.train && pass.keepStatistics !== true;
const isInside = (pixels: Float64Array) => pixels.every((pixel) => pixel >= 0 && pixel <= 1);
const largestOf = (numbers: Float64Array) => numbers.reduce((a, b) => Math.max(a, Math.abs(b)), 0);

describe('the running statistics of batch norm', () => {
  for (const [name, make] of Object.entries(objectives))
    it(`${name}: are moved by the update and by nothing else`, () => {
      using model = tinyModel('float64');
      using objective = make();
      const statistics = () =>
        new Map([...numbersOf(model.network.state())].filter(([key]) => /running|tracked/.test(key)));
      const before = statistics();
      const seen = passesOf(model, () => {
        objective.computeGradients(model, randomBatch('float64'), firstPlace).restore?.();
      });
      const after = statistics();
      const passes = seen.filter(learnsFrom);
      assert.equal(passes.length, /TRADES|MART/.test(name) ? 2 : 1);

      // The same passes again, from where they began.
      using twin = tinyModel('float64');
      const { x, labels } = randomBatch('float64');
      scope(() => {
        for (const { pixels } of passes) twin.forward(fromPixels(pixels, x), { train: true });
      });
      for (const each of [x, labels]) each.dispose();
      const twins = numbersOf(twin.network.state());
      for (const [key, numbers] of after) {
        assert.notDeepEqual(numbers, before.get(key), key);
        if (!/AWP/.test(name)) assert.deepEqual(numbers, twins.get(key), key);
        else if (/tracked/.test(key)) assert.deepEqual([...numbers], [1]); // its weights are others by then
      }
    });
});

function fromPixels(pixels: Float64Array, like: Tensor): Tensor {
  return scope(() => tensor(pixels, like.shape));
}

describe('the start of the paper', () => {
  const attack = (clip: boolean, chance: number): TrainingAttack => ({
    ...pgd,
    steps: 1,
    stepSize: epsilon,
    start: { kind: 'sat', clean: chance, clip },
  });
  const key = { seed: firstPlace.seed, stream: 'trainingAttack', epoch: 1 } as const;

  it('is the clean batch as often as the probability says, by step and part and nothing else', () => {
    const draws = Array.from({ length: 4000 }, (_, step) => drawsCleanStart(0.2, { ...firstPlace, step }));
    const share = draws.filter(Boolean).length / draws.length;
    assert.ok(Math.abs(share - 0.2) < 4 * Math.sqrt((0.2 * 0.8) / draws.length), `${share}`);
    const parts = Array.from({ length: 64 }, (_, part) => drawsCleanStart(0.5, { ...firstPlace, part }));
    assert.ok(parts.includes(true) && parts.includes(false));
    const again = draws
      .slice(0, 100)
      .map((_, step) => drawsCleanStart(0.2, { ...firstPlace, step, epoch: 9 }));
    assert.deepEqual(again, draws.slice(0, 100));
    assert.ok(!drawsCleanStart(0, firstPlace) && drawsCleanStart(1, firstPlace));
  });

  it('is one draw for all images: over twenty steps each batch starts clean as a whole, or wholly from noise', () => {
    using model = tinyModel('float64');
    const kinds = Array.from({ length: 20 }, (_, step) => {
      const { x, labels, ids } = randomBatch('float64');
      const place = { ...firstPlace, step };
      const [first] = passesOf(model, () => {
        perturb(model, { x, labels, ids }, attack(false, 0.5), place);
      });
      const clean = x.numbers();
      const size = clean.length / ids.length;
      const moved = ids.map((row) =>
        clean
          .subarray(row * size, (row + 1) * size)
          .every((pixel, at) => pixel !== first!.pixels[row * size + at]),
      );
      const same = clean.every((pixel, at) => pixel === first!.pixels[at]);
      assert.ok(same || moved.every(Boolean), `step ${step}`);
      assert.equal(same, drawsCleanStart(0.5, place));
      for (const each of [x, labels]) each.dispose();
      return same;
    });
    assert.ok(kinds.includes(true) && kinds.includes(false));
  });

  for (const clip of [false, true])
    it(`takes its first gradient ${clip ? 'inside the box with' : 'outside the box too without'} clip, and ends in ball and box`, () => {
      using model = tinyModel('float64');
      scope(() => {
        const batch = randomBatch('float64');
        const { x, ids } = batch;
        let result: ArrayLike<number> = [];
        const [first] = passesOf(model, () => {
          result = perturb(model, batch, attack(clip, 0), firstPlace).numbers();
        });
        const noisy = norms.linf.randomStart(x, { epsilon, key, ids, clip });
        assert.deepEqual(first!.pixels, noisy.numbers());
        assert.equal(isInside(first!.pixels), clip);
        assert.ok(isInside(Float64Array.from(result)));
        const distance = largestDifference(result, x.numbers());
        assert.ok(distance <= epsilon + 1e-12 && distance > 0.99 * epsilon, `${distance}`);
      });
    });
});

describe('a warm-up', () => {
  const at = (step: number): StepContext => ({ ...firstPlace, step, epoch: 1 + Math.floor(step / 5) });
  const reach = (model: Model, attack: TrainingAttack, step: number) =>
    scope(() => {
      const batch = randomBatch('float64');
      return largestDifference(perturb(model, batch, attack, at(step)).numbers(), batch.x.numbers());
    });
  const bold: TrainingAttack = { ...pgd, stepSize: 3 * epsilon, start: { kind: 'image' } };
  const shares = [0, 1, 4, 8, 9, 10, 40].map((step) => [step, Math.min(1, (step + 1) / 10)] as const);

  it('of ε lets the ball grow from a step’s share to its full size', () => {
    using model = tinyModel('float64');
    for (const [step, share] of shares)
      assertClose(
        [reach(model, { ...bold, epsilonWarmup: 2 }, step)],
        [epsilon * share],
        { relative: 1e-9, absolute: 0 },
        `step ${step}`,
      );
  });

  it('of ε shortens the step with the ball, and that of the step multiplies it', () => {
    using model = tinyModel('float64');
    const short: TrainingAttack = { ...pgd, steps: 1, stepSize: 0.01, start: { kind: 'image' } };
    for (const [step, share] of shares) {
      const close = (attack: TrainingAttack, expected: number) =>
        assertClose(
          [reach(model, attack, step)],
          [expected],
          { relative: 1e-9, absolute: 0 },
          `step ${step}`,
        );
      close({ ...short, epsilonWarmup: 2 }, 0.01 * share);
      close({ ...short, stepWarmup: 2 }, 0.01 * share);
      close({ ...short, epsilonWarmup: 2, stepWarmup: 2 }, 0.01 * share * share);
      close(short, 0.01);
    }
  });
});

describe('another derivative', () => {
  const [one, other] = [parseActivation('softplus(10)'), parseActivation('softplus')];
  const learn = (objective: Objective, model: Model) =>
    passesOf(model, () => {
      objective.computeGradients(model, randomBatch('float64'), firstPlace).restore?.();
    });

  for (const batchNorm of ['eval', 'train'] as const)
    it(`of the attack and of the update go each to its own passes, batch norm in ${batchNorm} mode in the attack`, () => {
      using model = tinyModel('float64', 'relu');
      const attack: TrainingAttack = { ...pgd, batchNorm, derivative: one };
      using objective = adversarial({ attack, pass: { train: true, derivative: other } });
      const seen = learn(objective, model);
      assert.deepEqual(
        seen.map(({ pass }) => pass.derivative?.name),
        [one.name, one.name, other.name],
      );
      assert.deepEqual(seen.map(learnsFrom), [false, false, true]);
    });

  it('of the update is that of AWP’s and GradAlign’s passes too', () => {
    using model = tinyModel('float64', 'relu');
    const gradAlign = { weight: 0.2 };
    const pass = { train: true, derivative: other };
    using objective = adversarial({ attack: pgd, awp: { gamma: 0.01, warmup: 0 }, gradAlign, pass });
    const seen = learn(objective, model);
    assert.deepEqual(
      seen.map((each) => [each.pass.derivative?.name, learnsFrom(each), each.pass.twice ?? false]),
      [
        [undefined, false, false], // two steps of the attack
        [undefined, false, false],
        [other.name, false, false], // AWP
        [other.name, true, false], // the update
        [other.name, false, false], // GradAlign at the image, a constant
        [other.name, false, true], // and in the noise
      ],
    );
  });
});

describe('adversarial weight perturbation', () => {
  const gamma = 0.01;
  const weightsOf = (model: Model) => numbersOf(model.network.parameters());
  const length = (numbers: Float64Array) => Math.hypot(...numbers);

  it('moves each tensor of more than one dimension by γ of its length up the loss, and leaves the others', () => {
    using model = tinyModel('float64');
    using plain = adversarial({ attack: still });
    using objective = adversarial({ attack: still, awp: { gamma, warmup: 0 } });
    scope(() => {
      const batch = randomBatch('float64');
      const before = weightsOf(model);
      const uphill = plain.computeGradients(model, batch, firstPlace);
      const learned = objective.computeGradients(model, batch, firstPlace);
      assert.ok(learned.loss > uphill.loss);
      for (const [place, [name, numbers]] of [...weightsOf(model)].entries()) {
        const old = before.get(name)!;
        const move = numbers.map((number, at) => number - old[at]!);
        const isWeight = model.network.parameters().get(name)!.shape.length > 1;
        assertClose(
          [length(move)],
          [isWeight ? gamma * length(old) : 0],
          { relative: 1e-9, absolute: 0 },
          name,
        );
        if (!isWeight) continue;
        const slope = uphill.gradients[place]!.numbers();
        const cosine =
          move.reduce((sum, each, at) => sum + each * slope[at]!, 0) / length(move) / length(slope);
        assertClose([cosine], [1], { relative: 1e-9, absolute: 0 }, name);
      }
      learned.restore!();
      assertSame(weightsOf(model), before);
      learned.restore!();
      assertSame(weightsOf(model), before);
    });
  });

  const assertSame = (actual: Map<string, Float64Array>, expected: Map<string, Float64Array>) => {
    for (const [name, numbers] of expected)
      assertClose(actual.get(name)!, numbers, { relative: 0, absolute: 1e-15 * largestOf(numbers) }, name);
  };

  it('waits for its warm-up', () => {
    using model = tinyModel('float64');
    using objective = adversarial({ attack: still, awp: { gamma, warmup: 2 } });
    for (const [step, isMoved] of [
      [0, false],
      [9, false],
      [10, true],
    ] as const)
      scope(() => {
        const learned = objective.computeGradients(model, randomBatch('float64'), { ...firstPlace, step });
        assert.equal(learned.restore !== undefined, isMoved, `step ${step}`);
        learned.restore?.();
      });
  });

  it('moves nothing where the loss is no number: weights stay to the bit', () => {
    using model = tinyModel('float64');
    const parameters = model.network.parameters();
    noGrad(() => parameters.get('bn1.bias')!.mul_(Number.POSITIVE_INFINITY));
    const before = weightsOf(model);
    using objective = adversarial({ attack: still, awp: { gamma, warmup: 0 } });
    scope(() => {
      const learned = objective.computeGradients(model, randomBatch('float64'), firstPlace);
      assert.ok(Number.isNaN(learned.loss));
      learned.restore?.();
    });
    assert.deepEqual(weightsOf(model), before);
  });

  it('puts the weights back and frees all where learning throws', () => {
    using model = tinyModel('float64');
    const before = weightsOf(model);
    const live = memoryInfo().liveTensors;
    let calls = 0;
    const loss: TrainingLoss = (...given) => {
      if (++calls === 2) throw new RangeError('in the second pass');
      return trades({ beta: 6, labelSmoothing: 0 })(...given);
    };
    using objective = adversarial({ attack: still, loss, awp: { gamma, warmup: 0 } });
    assert.throws(
      () => scope(() => objective.computeGradients(model, randomBatch('float64'), firstPlace)),
      /in the second pass/,
    );
    assertSame(weightsOf(model), before);
    assert.equal(memoryInfo().liveTensors, live);
  });
});

describe('GradAlign', () => {
  const lossWith = (
    model: Model,
    weight: number,
    options: { place?: StepContext; attack?: TrainingAttack } = {},
  ) =>
    scope(() => {
      const { place = firstPlace, attack = still } = options;
      using objective = adversarial({ attack, gradAlign: { weight } });
      return objective.computeGradients(model, randomBatch('float64'), place).loss;
    });
  const penalty = (model: Model, options: { place?: StepContext; attack?: TrainingAttack } = {}) =>
    lossWith(model, 1, options) - lossWith(model, 0, options);

  it('adds weight times a number in (0, 2]', () => {
    using model = tinyModel('float64');
    const whole = penalty(model);
    assert.ok(whole > 1e-6 && whole <= 2, `${whole}`);
    assertClose(
      [lossWith(model, 0.5)],
      [lossWith(model, 0) + 0.5 * whole],
      { relative: 1e-12, absolute: 0 },
      'loss',
    );
  });

  it('is 0 without noise, and grows as ε warms up', () => {
    using model = tinyModel('float64');
    assert.ok(Math.abs(penalty(model, { attack: { ...still, epsilon: 0 } })) < 1e-12);
    const attack = { ...still, epsilonWarmup: 1 };
    const [first, last] = [0, 4].map((step) => penalty(model, { attack, place: { ...firstPlace, step } }));
    assert.ok(first! > 0 && first! < 0.5 * last!, `${first}, ${last}`);
  });

  it('draws anew in each epoch, from a stream of its own', () => {
    using model = tinyModel('float64');
    const attack: TrainingAttack = { ...still, start: { kind: 'image' } };
    const [first, second] = [1, 2].map((epoch) =>
      penalty(model, { attack, place: { ...firstPlace, epoch } }),
    );
    assert.notEqual(first, second);
    const [, noisy] = passesOf(model, () => {
      lossWith(model, 1, { attack: { ...still, steps: 0 } });
    }).filter(({ pass }) => pass.keepStatistics === true);
    const attacked = passesOf(model, () => {
      lossWith(model, 0, { attack: { ...still, steps: 0 } });
    }).find(learnsFrom);
    assert.ok(largestDifference(noisy!.pixels, attacked!.pixels) > 0.5 * epsilon);
  });

  it('leaves out images whose gradient is 0, and is 0 where all are: nothing becomes NaN', () => {
    using model = tinyModel('float64');
    noGrad(() => model.network.parameters().get('linear.weight')!.mul_(0));
    assert.equal(penalty(model), 0);
    scope(() => {
      using objective = adversarial({ attack: still, gradAlign: { weight: 1 } });
      const { gradients } = objective.computeGradients(model, randomBatch('float64'), firstPlace);
      for (const each of gradients) assert.ok(each.numbers().every(Number.isFinite));
    });
  });

  it('refuses another norm than L∞', () => {
    assert.throws(
      () => adversarial({ attack: { ...still, norm: norms.l2 }, gradAlign: { weight: 1 } }),
      (error) => error instanceof InputError && /Expected linf for the norm of GradAlign/.test(error.message),
    );
  });
});

describe('what an objective tells', () => {
  it('is the share of the images it learned from that were classified rightly', () => {
    using model = tinyModel('float64');
    for (const make of [objectives.clean!, objectives['PGD-2']!, objectives.TRADES!])
      scope(() => {
        using objective = make();
        let right = 0;
        const batch = randomBatch('float64');
        const forward = model.forward.bind(model);
        const spy = mock.method(model, 'forward', (x: Tensor, pass: Pass) => {
          const logits = forward(x, pass);
          const labels = batch.labels.numbers();
          right = logits
            .argmax(1)
            .numbers()
            .filter((label, row) => label === labels[row]).length;
          return logits;
        });
        const { accuracy } = objective.computeGradients(model, batch, firstPlace);
        spy.mock.restore();
        assert.ok(Math.abs(accuracy - right / batch.ids.length) < 1e-6);
      });
  });

  it('is no state for all but Free, and a state that is given to them is refused', () => {
    scope(() => {
      const objective = clean();
      assert.equal(objective.state().size, 0);
      objective.restore(new Map());
      const { x } = randomBatch('float32');
      assert.throws(
        () => objective.restore(new Map([['noise', x]])),
        (error) => error instanceof InputError && /Expected no state/.test(error.message),
      );
    });
  });
});
