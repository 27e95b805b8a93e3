/** What training leaves out at random: dropout and stochastic depth. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buildObjective } from '../../src/app/train/build-objective.js';
import { norms } from '../../src/attacks/norms.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { Model } from '../../src/models/model.js';
import { type DropoutContext, depthRate, dropout, stochasticDepth } from '../../src/nn/dropout.js';
import { parseRecipe } from '../../src/recipe/recipe.js';
import { integers, ones, tensor } from '../../src/tensor/create.js';
import { noGrad } from '../../src/tensor/gradient.js';
import { scope } from '../../src/tensor/scope.js';
import { adversarial } from '../../src/training/objectives/adversarial.js';
import { adversarialCrossEntropy } from '../../src/training/objectives/objective.js';
import { assertClose } from '../support/close.js';

setThreads(1);

const ids = Array.from({ length: 400 }, (_, id) => 3 * id);
const dropping = (drop: Partial<DropoutContext> = {}): DropoutContext => ({
  dropout: 0.3,
  stochasticDepth: 0,
  seed: 1,
  epoch: 1,
  step: 0,
  ids,
  ...drop,
});
const masked = (drop: DropoutContext) => scope(() => dropout(ones([drop.ids.length, 25]), drop).numbers());

describe('dropout', () => {
  it('leaves out its share, and lets the rest grow so that the mean stays', () => {
    const numbers = masked(dropping());
    const share = numbers.filter((each) => each === 0).length / numbers.length;
    assert.ok(Math.abs(share - 0.3) < 5 * Math.sqrt((0.3 * 0.7) / numbers.length), `${share} left out`);
    assert.deepEqual(new Set(numbers), new Set([0, Math.fround(1 / 0.7)]));
  });

  it('depends on an example’s id and not on its batch', () => {
    const whole = masked(dropping());
    const places = [7, 300, 7, 12];
    const part = masked(dropping({ ids: places.map((place) => ids[place]!) }));
    assert.deepEqual(
      [...part],
      places.flatMap((place) => [...whole.subarray(25 * place, 25 * place + 25)]),
    );
  });

  it('is drawn anew for each step, pass over the data and seed', () => {
    const first = masked(dropping());
    assert.deepEqual(masked(dropping()), first);
    for (const other of [{ step: 1 }, { epoch: 2 }, { seed: 2 }])
      assert.notDeepEqual(masked(dropping(other)), first, Object.keys(other)[0]);
  });

  it('does nothing where a pass leaves nothing out', () => {
    scope(() => {
      const features = ones([2, 3]);
      assert.equal(dropout(features, undefined), features);
      assert.equal(dropout(features, dropping({ dropout: 0 })), features);
    });
  });
});

describe('stochastic depth', () => {
  const drop = dropping({ stochasticDepth: 0.5 });

  it('leaves the first block in, and the others out the oftener the later they come', () => {
    const rates = [0, 1, 2, 3].map((index) => depthRate(drop, { index, blocks: 4 }));
    assert.deepEqual(rates, [0, 0.125, 0.25, 0.375]);
    assert.equal(depthRate(undefined, { index: 3, blocks: 4 }), 0);
  });

  it('leaves out whole examples, each block others', () => {
    scope(() => {
      const x = ones([ids.length, 2, 2, 2]);
      const kept = (index: number) => {
        const numbers = stochasticDepth(x, drop, { index, blocks: 4 }).numbers();
        return ids.map((_, row) => {
          const [first, ...rest] = numbers.subarray(8 * row, 8 * row + 8);
          assert.ok(
            rest.every((each) => each === first),
            'one number an example',
          );
          return first!;
        });
      };
      const last = kept(3);
      assert.deepEqual(new Set(last), new Set([0, Math.fround(1 / 0.625)]));
      const share = last.filter((each) => each === 0).length / ids.length;
      assert.ok(Math.abs(share - 0.375) < 5 * Math.sqrt((0.375 * 0.625) / ids.length), `${share} left out`);
      assert.notDeepEqual(
        kept(2).map((each) => each === 0),
        last.map((each) => each === 0),
      );
      assert.equal(stochasticDepth(x, drop, { index: 0, blocks: 4 }), x);
    });
  });
});

describe('an EfficientNet that drops', () => {
  const description = {
    architecture: 'efficientnet-b0',
    width: 0.25,
    activation: 'silu',
    classes: ['a', 'b', 'c'],
    shape: [3, 32, 32],
    normalise: null,
  } as const;
  const pixels = Float32Array.from({ length: 4 * 3 * 32 * 32 }, (_, i) => 0.5 + 0.5 * Math.sin(0.3 * i));
  const images = (first: number, count: number) =>
    tensor(pixels.subarray(first * 3072, (first + count) * 3072), [count, 3, 32, 32]);
  const drop = { dropout: 0.5, stochasticDepth: 0.5, seed: 1, epoch: 1, step: 3 };

  it('answers each image as it does in any other batch, and otherwise in another step', () => {
    using model = Model.create(description, { seed: 5 });
    // Running statistics, so that only what is dropped could tie images of a batch together.
    const logits = (first: number, count: number, step = 3) =>
      scope(() =>
        noGrad(() => {
          const chosen = [10, 11, 12, 13].slice(first, first + count);
          const pass = { train: false, drop: { ...drop, step, ids: chosen } };
          return [...model.forward(images(first, count), pass).numbers()];
        }),
      );
    const whole = logits(0, 4);
    const parts = [...logits(0, 2), ...logits(2, 2)];
    const largest = Math.max(...whole.map(Math.abs));
    assertClose(parts, whole, { relative: 0, absolute: 1e-5 * largest }, 'logits');
    const plain = scope(() => noGrad(() => [...model.classify(images(0, 4)).numbers()]));
    const apart = (a: readonly number[], b: readonly number[]) =>
      Math.max(...a.map((each, place) => Math.abs(each - b[place]!))) / largest;
    assert.ok(apart(whole, plain) > 0.01);
    assert.ok(apart(whole, logits(0, 4, 4)) > 0.01);
  });

  const place = { seed: 0, epoch: 1, step: 3, stepsPerEpoch: 4, part: 0, first: 0 };
  const batch = () => ({ x: images(0, 4), labels: integers([0, 1, 2, 0]), ids: [10, 11, 12, 13] });

  it('is attacked whole, and leaves something out in the update', () => {
    using model = Model.create(description, { seed: 5 });
    const run = (rates: { dropout: number; stochasticDepth: number } | undefined) => {
      const seen: { images: number[]; drop: DropoutContext | undefined }[] = [];
      const cross = adversarialCrossEntropy(0);
      const epsilon = 0.05;
      const objective = adversarial({
        // The batch's statistics: then the attack is in training mode, too.
        attack: {
          norm: norms.linf,
          epsilon,
          steps: 2,
          stepSize: epsilon,
          start: { kind: 'image' },
          batchNorm: 'train',
        },
        loss: (model, examples, pass) => {
          seen.push({ images: [...examples.adversarial.numbers()], drop: pass.drop });
          return cross(model, examples, { ...pass, keepStatistics: true });
        },
        pass: { train: true, ...(rates && { drop: rates }) },
      });
      const loss = scope(() => objective.computeGradients(model, batch(), place).loss.item());
      return { ...seen[0]!, loss };
    };
    const [whole, dropped] = [run(undefined), run({ dropout: 0.5, stochasticDepth: 0.5 })];
    assert.deepEqual(dropped.images, whole.images);
    assert.deepEqual(dropped.drop, {
      dropout: 0.5,
      stochasticDepth: 0.5,
      seed: 0,
      epoch: 1,
      step: 3,
      ids: [10, 11, 12, 13],
    });
    assert.equal(whole.drop, undefined);
    assert.notEqual(dropped.loss, whole.loss);
  });

  const recipe = (model: object) =>
    parseRecipe(
      {
        name: 'drops',
        data: { name: 'cifar10' },
        model: { activation: 'silu', ...model },
        threat: { norm: 'linf', epsilon: '8/255' },
        training: {
          objective: 'clean',
          epochs: 1,
          batch: 4,
          schedule: { name: 'constant', learningRate: 0.1 },
        },
      },
      'the recipe',
    );

  it('leaves out as much as was published, unless the recipe says otherwise', () => {
    const lossOf = (model: object) => {
      using network = Model.create(description, { seed: 5 });
      using objective = buildObjective(recipe({ name: 'efficientnet-b0', ...model }));
      return scope(() => objective.computeGradients(network, batch(), place).loss.item());
    };
    const published = lossOf({});
    assert.equal(lossOf({ dropout: 0.2, stochasticDepth: 0.2 }), published);
    assert.notEqual(lossOf({ dropout: 0 }), published);
    assert.notEqual(lossOf({ stochasticDepth: 0 }), published);
  });

  it('is the only one: a recipe that sets what another network has no place for is refused', () => {
    for (const key of ['dropout', 'stochasticDepth']) {
      assert.throws(
        () => recipe({ name: 'resnet50', [key]: 0.1 }),
        new RegExp(`model\\.${key}.*resnet50 does not support it`, 's'),
      );
      assert.throws(
        () => recipe({ name: 'efficientnet-b0', [key]: 1 }),
        new RegExp(`Expected a number from 0 to below 1 for model\\.${key}`),
      );
      assert.equal(recipe({ name: 'resnet50', [key]: null }).model.dropout, null);
    }
  });
});
