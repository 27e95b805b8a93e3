import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { parseAttack, type Threat } from '../../src/attacks/attack.js';
import { type Norm, norms } from '../../src/attacks/norms.js';
import { type Dataset, subset } from '../../src/data/dataset.js';
import { DatasetTensors } from '../../src/data/dataset-tensors.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { InterruptedError, RunError } from '../../src/errors.js';
import { type EvaluationProgress, evaluate } from '../../src/evaluation/evaluate.js';
import { type ModelUnderTest, padSingleton } from '../../src/evaluation/model-under-test.js';
import { requireInBall } from '../../src/evaluation/require-in-ball.js';
import { wilsonInterval } from '../../src/evaluation/statistics.js';
import type { Classifier } from '../../src/nn/classifier.js';
import { tensor } from '../../src/tensor/create.js';
import { noGrad } from '../../src/tensor/gradient.js';
import { scope } from '../../src/tensor/scope.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { clean } from '../../src/training/objectives/objective.js';
import { blobs, smallModel, training } from '../support/blobs.js';
import { assertClose } from '../support/close.js';

setThreads(1);

const places = (first: number, count: number) => Array.from({ length: count }, (_, at) => first + at);

// A network that was trained for a moment: right about seven images of eight, and easy to attack.
const whole = blobs(896 + 160);
const model = smallModel(whole);
{
  using steps = training(model, subset(whole, places(0, 896)), clean());
  for (let step = 0; step < 56; step++) steps.step();
}
const folded = model.fold();
const subject: ModelUnderTest = { exact: model.classify, fast: folded.classify };
const held = subset(whole, places(896, 160));
const data = new DatasetTensors(held);
after(() => {
  data[Symbol.dispose]();
  folded[Symbol.dispose]();
  model.dispose();
});

const linf = { norm: norms.linf, epsilon: 0.02 };
const run = (options: {
  subject?: ModelUnderTest;
  data?: DatasetTensors;
  attacks?: readonly string[];
  threat?: Threat;
  seed?: number;
  batch?: number;
}) => {
  const { attacks = ['pgd-5'], threat = linf, seed = 0, batch = 64 } = options;
  return evaluate(options.subject ?? subject, options.data ?? data, {
    attacks: attacks.map(parseAttack),
    threat,
    seed,
    batch,
  });
};

describe('an evaluation', () => {
  for (const threat of [linf, { norm: norms.l2, epsilon: 0.25 }])
    it(`in ${threat.norm.name} adds up: each example is wrong, broken by one attack, or robust`, async () => {
      const found = await run({ attacks: ['fgsm', 'pgd-5', 'pgd-10-2'], threat });
      const { perExample, attacks, adversarial } = found;
      const count = perExample.length;
      assert.equal(count, 160);
      assert.deepEqual(
        perExample.map(({ id }) => id),
        [...held.ids],
      );
      assert.deepEqual(
        perExample.map(({ label }) => label),
        [...held.labels],
      );
      const right = perExample.filter((example) => example.clean);
      assert.equal(found.clean, right.length / count);
      assert.ok(found.clean > 0.8, `clean ${found.clean}`);
      const standing = right.filter(({ brokenBy }) => brokenBy === null);
      assert.equal(found.robust, standing.length / count);
      assert.deepEqual(found.interval, wilsonInterval(standing.length, count));
      assert.ok(found.robust > 0.1 && found.robust < 0.7, `robust ${found.robust}`);
      assert.ok(perExample.every((example) => example.clean || example.brokenBy === null));
      let left = right.length;
      for (const attack of attacks) {
        assert.equal(attack.attacked, left);
        assert.equal(attack.broken, perExample.filter(({ brokenBy }) => brokenBy === attack.name).length);
        left -= attack.broken;
        assert.equal(attack.robustAfter, left / count);
      }
      assert.ok(attacks[0]!.broken > 0 && attacks[1]!.broken > 0);
      assert.deepEqual(
        [...adversarial.keys()].sort((a, b) => a - b),
        perExample.flatMap(({ brokenBy }, place) => (brokenBy === null ? [] : [place])),
      );
    });

  it('keeps images that the model misclassifies, inside ball and box, as anybody can check', async () => {
    for (const threat of [linf, { norm: norms.l2, epsilon: 0.25 }]) {
      const { adversarial } = await run({ attacks: ['fgsm', 'pgd-10'], threat });
      assert.ok(adversarial.size > 40);
      for (const [place, image] of adversarial) {
        const original = Float32Array.from(
          held.images.subarray(place * 128, (place + 1) * 128),
          (byte) => byte / 255,
        );
        const differences = Array.from(image, (pixel, at) => Math.abs(pixel - original[at]!));
        const { epsilon, norm } = threat;
        if (norm === norms.linf) assert.ok(Math.max(...differences) <= epsilon + 1e-6);
        else assert.ok(Math.hypot(...differences) <= epsilon * (1 + 1e-5));
        assert.ok(image.every((pixel) => pixel >= 0 && pixel <= 1));
        const predicted = scope(() =>
          noGrad(() =>
            padSingleton(model.classify)(tensor(image, [1, 2, 8, 8]))
              .argmax(1)
              .item(),
          ),
        );
        assert.notEqual(predicted, held.labels[place]);
      }
    }
  });

  it('is the same for the same seed; another seed draws other starts', async () => {
    const [first, again, other] = [await run({ seed: 1 }), await run({ seed: 1 }), await run({ seed: 2 })];
    assert.deepEqual(again.adversarial, first.adversarial);
    assert.deepEqual(again.perExample, first.perExample);
    assert.notDeepEqual(other.adversarial, first.adversarial);
  });

  it('is stronger with more restarts and a larger ε, never weaker with another attack behind', async () => {
    const robust = async (attacks: readonly string[], epsilon = 0.02) =>
      (await run({ attacks, threat: { norm: norms.linf, epsilon } })).robust;
    const one = await robust(['pgd-3']);
    assert.ok((await robust(['pgd-3-5'])) <= one);
    assert.ok((await robust(['pgd-3', 'fgsm'])) <= one);
    const radii = [await robust(['pgd-3'], 0.005), one, await robust(['pgd-3'], 0.05)];
    assert.ok(radii[0]! > radii[1]! && radii[1]! > radii[2]!, radii.join());
  });

  it('tells its progress, and ends between batches where it is asked to', async () => {
    const told: EvaluationProgress[] = [];
    const options = { attacks: [parseAttack('fgsm')], threat: linf, seed: 0, batch: 64 };
    const found = await evaluate(subject, data, {
      ...options,
      onProgress: (progress) => told.push(progress),
    });
    assert.deepEqual(
      told.filter(({ stage }) => stage === 'clean').map(({ done }) => done),
      [64, 128, 160],
    );
    assert.equal(told.at(-1)!.done, told.at(-1)!.total);
    assert.equal(told.at(-1)!.robust, found.robust);
    let asked = 0;
    const interrupted = () => ++asked === 2;
    await assert.rejects(evaluate(subject, data, { ...options, interrupted }), InterruptedError);
    assert.equal(asked, 2);
  });
});

/** `count` images of one pixel, 0.5, of class 0. */
function dots(count: number): Dataset {
  const images = new Uint8Array(count).fill(128);
  const ids = Uint32Array.from(images.keys());
  const labels = new Uint8Array(count);
  return {
    name: 'dots',
    classes: ['a', 'b'],
    shape: [1, 1, 1],
    images,
    labels,
    ids,
    order: 'file',
    warnings: [],
  };
}

/** Right (class 0) while the pixel is below `edge`; its gradient points to the edge. */
const below =
  (edge: number): Classifier =>
  (x) => {
    const rise = x.flatten(1).sub(edge); // [N, 1]
    return tensorOf([-1, 1], x).mul(rise);
  };
const tensorOf = (row: readonly number[], like: { dtype: string }) => {
  assert.equal(like.dtype, 'float32');
  return tensor(Float32Array.from(row), [1, row.length]);
};

describe('the count of passes', () => {
  const threat = { norm: norms.linf, epsilon: 0.1 };
  const passes = async (classify: Classifier, attack: string, count = 5, batch = 8) => {
    using set = new DatasetTensors(dots(count));
    const found = await run({
      subject: { exact: classify, fast: classify },
      data: set,
      attacks: [attack],
      threat,
      batch,
    });
    const { attacked, broken, forwards, backwards } = found.attacks[0]!;
    return { attacked, broken, forwards, backwards };
  };

  it('is one forward for each iterate and one backward for each step of those that stand', async () => {
    assert.deepEqual(await passes(below(0.9), 'pgd-3'), {
      attacked: 5,
      broken: 0,
      forwards: 5 * 4,
      backwards: 5 * 3,
    });
    assert.deepEqual(await passes(below(0.9), 'pgd-3-2'), {
      attacked: 5,
      broken: 0,
      forwards: 40,
      backwards: 30,
    });
    assert.deepEqual(await passes(below(0.9), 'fgsm'), {
      attacked: 5,
      broken: 0,
      forwards: 10,
      backwards: 5,
    });
  });

  it('has one forward more for each image that the model itself is asked about', async () => {
    // 128/255 + 0.1 is above the edge: the step breaks all, and the model confirms it.
    assert.deepEqual(await passes(below(0.55), 'fgsm'), {
      attacked: 5,
      broken: 5,
      forwards: 5 + 5 + 5,
      backwards: 5,
    });
    // No second restart where nobody is left.
    const { forwards, broken } = await passes(below(0.55), 'pgd-1-9');
    assert.ok(broken === 5 && forwards <= 15, `${forwards}`);
  });

  it('does not depend on the batch, though an image alone is computed twice over', async () => {
    const all = await passes(below(0.9), 'pgd-3', 5);
    for (const batch of [1, 2, 3]) assert.deepEqual(await passes(below(0.9), 'pgd-3', 5, batch), all);
  });
});

describe('an attack is not believed', () => {
  const attack = parseAttack('pgd-4');
  const evaluateWith = (norm: Partial<Norm>, base: Norm = norms.linf) =>
    evaluate(subject, data, {
      attacks: [attack],
      threat: { norm: { ...base, ...norm }, epsilon: 0.02 },
      seed: 0,
      batch: 64,
    });
  const rejects = (promise: Promise<unknown>, code: string, sentence: RegExp) =>
    assert.rejects(promise, (error) => {
      assert.ok(error instanceof RunError, String(error));
      assert.equal(error.code, code);
      assert.match(error.message, sentence);
      return true;
    });

  it('where it leaves the ball', async () => {
    const project: Norm['project'] = (candidate) => candidate.clamp(0, 1);
    await rejects(
      evaluateWith({ project }),
      'attack-left-its-ball',
      /^pgd-4 returned an image at distance 0\.\d+ in linf, more than ε = 0\.02/,
    );
    await rejects(evaluateWith({ project }, norms.l2), 'attack-left-its-ball', /^pgd-4 .* in l2/);
    // by a little, in the start
    const randomStart: Norm['randomStart'] = (x) => x.add(0.0201).clamp(0, 1);
    await rejects(
      evaluateWith({ randomStart, project: (candidate) => candidate }),
      'attack-left-its-ball',
      /^pgd-4/,
    );
  });

  it('where it leaves the box', async () => {
    const dark: Dataset = { ...held, images: held.images.map((byte) => (byte < 150 ? 0 : byte)) };
    using set = new DatasetTensors(dark);
    const project: Norm['project'] = (candidate, x, epsilon) =>
      candidate.minimum(x.add(epsilon)).maximum(x.sub(epsilon));
    const threat = {
      norm: { ...norms.linf, project, randomStart: (x: Parameters<Norm['project']>[0]) => x },
      epsilon: 0.2,
    };
    await rejects(
      evaluate(subject, set, { attacks: [attack], threat, seed: 0, batch: 64 }),
      'attack-left-the-box',
      /^pgd-4 returned an image with pixels from -0\.\d+ to .*, outside \[0, 1\]/,
    );
  });

  it('where it makes what is no number', () => {
    scope(() => {
      const x = tensor(new Float32Array(3).fill(0.5), [1, 1, 1, 3]);
      const image = Float32Array.of(0.5, Number.NaN, 0.5);
      for (const norm of Object.values(norms))
        assert.throws(
          () => requireInBall(x, [{ row: 0, image }], { attack: 'x', threat: { norm, epsilon: 1 } }),
          RunError,
        );
      requireInBall(x, [{ row: 0, image: Float32Array.of(0.5, 0.6, 0.5) }], {
        attack: 'x',
        threat: { norm: norms.l2, epsilon: 0.1001 },
      });
    });
  });
});

describe('the model as it was given decides', () => {
  const threat = { norm: norms.linf, epsilon: 0.1 };

  it('an image that only the faster one gets wrong is not broken, and goes on being attacked', async () => {
    using set = new DatasetTensors(dots(6));
    let asked = 0;
    const classify: Classifier = (x) => {
      asked += x.dimension(0);
      return below(0.9)(x);
    };
    const wrong: Classifier = (x) => below(0.1)(x);
    const found = await run({
      subject: { exact: classify, fast: wrong },
      data: set,
      attacks: ['pgd-3'],
      threat,
    });
    assert.equal(found.clean, 1);
    assert.equal(found.robust, 1);
    assert.equal(found.adversarial.size, 0);
    assert.equal(asked, 6 + 6 * 4, 'at every iterate');
    assert.equal(found.attacks[0]!.backwards, 6 * 3);
  });

  it('and so it is where the faster one is wrong about some and the model breaks later', async () => {
    using set = new DatasetTensors(dots(6));
    const found = await run({
      subject: { exact: below(0.59), fast: below(0.51) },
      data: set,
      attacks: ['pgd-9-3'],
      threat,
    });
    assert.equal(found.robust, 0);
    for (const image of found.adversarial.values()) assert.ok(image[0]! > 0.59);
  });

  it('clean errors count as broken, and are not attacked', async () => {
    using set = new DatasetTensors(dots(6));
    const found = await run({ subject: { exact: below(0.3), fast: below(0.3) }, data: set, threat });
    assert.deepEqual([found.clean, found.robust, found.attacks[0]!.attacked], [0, 0, 0]);
  });

  it('logits that are no numbers are wrong, whatever the label', async () => {
    using set = new DatasetTensors(dots(6));
    const nothing: Classifier = (x) => below(0.9)(x).mul(Number.NaN);
    assert.equal((await run({ subject: { exact: nothing, fast: nothing }, data: set, threat })).clean, 0);
  });
});

describe('broken examples leave the batch', () => {
  it('at once: what is shown to the network shrinks with them', async () => {
    const sizes: number[] = [];
    const fast: Classifier = (x) => {
      sizes.push(x.dimension(0));
      return folded.classify(x);
    };
    const found = await run({ subject: { exact: model.classify, fast }, attacks: ['pgd-10'], batch: 160 });
    const [first, last] = [sizes[0]!, sizes.at(-1)!];
    assert.equal(sizes.length, 11);
    assert.equal(first, found.attacks[0]!.attacked);
    assert.ok(last < first && sizes.every((size, at) => at === 0 || size <= sizes[at - 1]!), sizes.join());
    assert.ok(last >= found.robust * 160);
  });
});

describe('a batch of one', () => {
  it('gives what the example gives in company', () => {
    scope(() =>
      noGrad(() => {
        const x = data.batch(places(0, 2)).x;
        const together = model.classify(x).numbers();
        const alone = padSingleton(model.classify)(x.narrow(0, 0, 1)).numbers();
        assert.equal(alone.length, 4);
        assertClose(alone, together.slice(0, 4), { relative: 1e-6, absolute: 1e-7 }, 'logits');
      }),
    );
  });

  it('has no company where an image is computed alone', () => {
    const sizes: number[] = [];
    const plain = (x: Tensor) => {
      sizes.push(x.dimension(0));
      return model.classify(x);
    };
    scope(() =>
      noGrad(() => {
        const x = data.batch([0]).x;
        padSingleton(plain)(x);
        padSingleton(Object.assign(plain, { isPerImage: () => true }))(x);
      }),
    );
    assert.deepEqual(sizes, [2, 1]);
  });
});
