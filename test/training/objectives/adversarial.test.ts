/** The running statistics and the start of an adversarial attack in training, and what every objective tells. */
import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { norms } from '../../../src/attacks/norms.js';
import { setThreads } from '../../../src/engine/engine-info.js';
import { InputError } from '../../../src/errors.js';
import type { Pass } from '../../../src/nn/module.js';
import { tensor } from '../../../src/tensor/create.js';
import { scope } from '../../../src/tensor/scope.js';
import type { Tensor } from '../../../src/tensor/tensor.js';
import { clean, type StepContext } from '../../../src/training/objectives/objective.js';
import {
  perturb,
  startsClean,
  type TrainingAttack,
} from '../../../src/training/objectives/training-attack.js';
import { largestDifference } from '../../support/close.js';
import {
  epsilon,
  firstPlace,
  numbersOf,
  objectives,
  pgd,
  randomBatch,
  tinyModel,
} from '../../support/objectives.js';
import { learnsFrom, passesOf } from '../../support/passes.js';

setThreads(1);
const isInside = (pixels: Float64Array) => pixels.every((pixel) => pixel >= 0 && pixel <= 1);

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

  const isClean = (clean: number, context: StepContext) => {
    const [first, ...rest] = startsClean({ clean }, 6, context);
    assert.ok(rest.every((each) => each === first));
    return first!;
  };

  it('is the clean batch as often as the probability says, by step and part and nothing else', () => {
    const draws = Array.from({ length: 4000 }, (_, step) => isClean(0.2, { ...firstPlace, step }));
    const share = draws.filter(Boolean).length / draws.length;
    assert.ok(Math.abs(share - 0.2) < 4 * Math.sqrt((0.2 * 0.8) / draws.length), `${share}`);
    const parts = Array.from({ length: 64 }, (_, part) => isClean(0.5, { ...firstPlace, part }));
    assert.ok(parts.includes(true) && parts.includes(false));
    const again = draws
      .slice(0, 100)
      .map((_, step) => isClean(0.2, { ...firstPlace, step, epoch: 9, first: 12 }));
    assert.deepEqual(again, draws.slice(0, 100));
    assert.ok(!isClean(0, firstPlace) && isClean(1, firstPlace));
  });

  it('is drawn for each group of images by its number in the whole batch, however that is split', () => {
    const start = { clean: 0.2, group: 2 };
    const groups = Array.from({ length: 800 }, (_, step) => {
      const place = { ...firstPlace, step };
      const whole = startsClean(start, 12, place);
      // Three ranks of four images, one after the other; and rank 1 in two parts.
      const ranks = [0, 4, 8].flatMap((first) => startsClean(start, 4, { ...place, first }));
      assert.deepEqual(ranks, whole);
      const parts = [0, 1].flatMap((part) => startsClean(start, 2, { ...place, part, first: 4 + 2 * part }));
      assert.deepEqual(parts, whole.slice(4, 8));
      const each = whole.filter((_, image) => image % 2 === 0);
      assert.deepEqual(
        whole,
        each.flatMap((value) => [value, value]),
      );
      return each;
    });
    const [all, clean] = [groups.flat().length, groups.flat().filter(Boolean).length];
    assert.equal(all, 4800);
    assert.ok(Math.abs(clean / all - 0.2) < 4 * Math.sqrt((0.2 * 0.8) / all), `${clean} of ${all}`);
    // Independent: both kinds in one step about as often as 1 - 0.8^6 - 0.2^6 says.
    const both = groups.filter((each) => each.includes(true) && each.includes(false)).length / 800;
    assert.ok(Math.abs(both - (1 - 0.8 ** 6 - 0.2 ** 6)) < 0.07, `${both}`);
  });

  it('takes the image or noise for each group, and the noise is that without groups', () => {
    using model = tinyModel('float64');
    scope(() => {
      const batch = randomBatch('float64');
      const start = { kind: 'sat', clean: 0.5, clip: false, group: 2 } as const;
      const noisy = norms.linf.randomStart(batch.x, { epsilon, key, ids: batch.ids, clip: false }).numbers();
      const clean = batch.x.numbers();
      const size = clean.length / batch.ids.length;
      const seen = new Set<string>();
      for (let step = 0; step < 12; step++) {
        const place = { ...firstPlace, step };
        const [first] = passesOf(model, () => {
          perturb(model, batch, { ...attack(false, 0.5), start }, place);
        });
        const draws = startsClean(start, batch.ids.length, place);
        const expected = noisy.map((pixel, at) => (draws[Math.floor(at / size)] ? clean[at]! : pixel));
        assert.deepEqual(first!.pixels, expected);
        seen.add(draws.join());
      }
      assert.ok(seen.size >= 4);
    });
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
      assert.equal(same, isClean(0.5, place));
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
        assert.ok(Math.abs(accuracy.item() - right / batch.ids.length) < 1e-6);
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
