/** How the attacks of AutoAttack behave in an evaluation: whose verdict counts, who leaves, what is counted and freed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Attack, type GradientAttack, parseAttack } from '../../src/attacks/attack.js';
import { type NormName, norms } from '../../src/attacks/norms.js';
import { consecutiveIds, type Dataset, subset } from '../../src/data/dataset.js';
import { DatasetTensors } from '../../src/data/dataset-tensors.js';
import { memoryInfo, setThreads } from '../../src/engine/engine-info.js';
import { InputError, InterruptedError } from '../../src/errors.js';
import { type Evaluation, evaluate } from '../../src/evaluation/evaluate.js';
import type { Classifier } from '../../src/nn/classifier.js';
import { cat, zerosLike } from '../../src/tensor/create.js';
import { conv2d, linear } from '../../src/tensor/functional.js';
import { noGrad } from '../../src/tensor/gradient.js';
import { noise } from '../../src/tensor/noise.js';
import { scope } from '../../src/tensor/scope.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { blobs } from '../support/blobs.js';

setThreads(1);

const classes = 5;
const draw = (epoch: number, shape: readonly number[], scale: number) =>
  scope(() =>
    noise('normal', { key: { seed: 11, stream: 'bench', epoch }, ids: [0], shape })
      .reshape(shape)
      .mul(scale),
  );

/** A small network with random weights for images of 2x8x8 pixels; its own answers are the labels. */
const [kernel, head] = [draw(1, [4, 2, 3, 3], 1), draw(2, [classes, 4 * 64], 0.3)];
const classify: Classifier = (x) => linear(conv2d(x, kernel, { padding: 1 }).tanh().flatten(1), head);
const images = blobs(48);
const labels = scope(() => {
  using data = new DatasetTensors(images);
  const all = Array.from({ length: 48 }, (_, place) => place);
  return Uint8Array.from(noGrad(() => classify(data.batch(all).x).argmax(1)).numbers());
});
const held: Dataset = { ...images, classes: ['a', 'b', 'c', 'd', 'e'], labels };

/** Every kind of attack, shortened. */
const short = (name: string, steps: number, targets?: number): Attack => {
  const attack = parseAttack(name);
  return { ...attack, steps, ...('targets' in attack && { targets: targets ?? attack.targets }) };
};
const attacks: readonly Attack[] = [
  short('apgd-ce-2', 8),
  short('apgd-dlr', 8),
  short('apgd-t', 8, 2),
  short('fab', 5),
  short('fab-t-2', 5, 2),
  short('square', 40),
  short('pgd-cw-8', 8),
];
const epsilons = { linf: 0.025, l2: 0.2, l1: 2 } as const;

const run = async (options: {
  attacks: readonly Attack[];
  norm?: NormName;
  epsilon?: number;
  dataset?: Dataset;
  batch?: number;
  classify?: Classifier;
  fast?: Classifier;
  interrupted?: () => boolean;
}): Promise<Evaluation> => {
  const { norm = 'linf', batch = 48, dataset = held, interrupted } = options;
  const { epsilon = epsilons[norm] } = options;
  using data = new DatasetTensors(dataset);
  const subject = { exact: options.classify ?? classify, fast: options.fast ?? classify };
  return await evaluate(subject, data, {
    attacks: options.attacks,
    threat: { norm: norms[norm], epsilon },
    seed: 0,
    batch,
    ...(interrupted && { interrupted }),
  });
};

const verdicts = ({ perExample }: Evaluation) =>
  perExample.map(({ id, brokenBy }) => [id, brokenBy !== null] as const).sort(([a], [b]) => a - b);

describe('a verdict of AutoAttack’s attacks', () => {
  const shuffled = subset(
    held,
    Array.from({ length: 48 }, (_, place) => (place * 11 + 31) % 48),
  );
  for (const norm of ['linf', 'l2'] as const)
    for (const attack of attacks)
      it(`depends neither on the batch nor on the order: ${attack.name}, ${norm}`, async () => {
        const reference = verdicts(await run({ attacks: [attack], norm }));
        const broken = reference.filter(([, each]) => each).length;
        assert.ok(broken > 0 && broken < 48, `${broken} broken`);
        for (const [dataset, batch] of [
          [held, 1],
          [shuffled, 48],
          [shuffled, 7],
        ] as const)
          assert.deepEqual(verdicts(await run({ attacks: [attack], norm, dataset, batch })), reference);
      });

  it('is the model’s as it was given: what the faster one alone gets wrong goes on being attacked', async () => {
    const misled: Classifier = (x) => classify(x).mul(-1);
    for (const attack of attacks) {
      const found = await run({ attacks: [attack], fast: misled, epsilon: 1e-4 });
      assert.equal(found.robust, 1, attack.name);
      assert.equal(found.attacks[0]!.attacked, 48);
    }
  });
});

describe('broken examples', () => {
  for (const attack of attacks)
    it(`leave at once, and passes are counted: ${attack.name}`, async () => {
      const shown: number[] = [];
      let [passes, twos] = [0, 0];
      const isTwo = (x: Tensor) => (x.dimension(0) === 2 ? 1 : 0);
      const fast: Classifier = (x) => {
        shown.push(x.dimension(0));
        twos += isTwo(x);
        return classify(x);
      };
      const counting: Classifier = (x) => {
        passes += x.dimension(0);
        twos += isTwo(x);
        return classify(x);
      };
      const { attacks: results } = await run({ attacks: [attack], fast, classify: counting });
      const [{ attacked, broken, forwards, backwards }] = results as [Evaluation['attacks'][number]];
      assert.equal(shown[0], attacked);
      assert.ok(broken > 0);
      assert.ok(
        shown.every((size, at) => at === 0 || size <= shown[at - 1]!),
        shown.join(),
      );
      // The clean pass over 48 images belongs to no attack, and an image alone is computed twice.
      const most = shown.reduce((sum, size) => sum + size, 0) + passes - 48;
      assert.ok(forwards <= most && forwards >= most - twos, `${forwards} of ${most}, ${twos} in doubt`);
      if (attack.kind === 'square') assert.equal(backwards, 0);
      else assert.ok(backwards > 0 && backwards <= forwards * (attack.name === 'fab' ? classes : 1));
    });

  it('cost what they should where none breaks: APGD skips the last gradient, FAB looks twice, Square once', async () => {
    const passes = async (attack: Attack) => {
      const { attacks: results, robust } = await run({ attacks: [attack], epsilon: 1e-6 });
      assert.equal(robust, 1);
      return [results[0]!.forwards / 48, results[0]!.backwards / 48];
    };
    assert.deepEqual(await passes(short('apgd-ce', 8)), [9, 8]);
    assert.deepEqual(await passes(short('apgd-t', 8, 3)), [1 + 3 * 9, 3 * 8]);
    assert.deepEqual(await passes(short('fab', 5)), [10, 5 * classes]);
    assert.deepEqual(await passes(short('fab-t', 5, 3)), [1 + 30, 15]);
    assert.deepEqual(await passes(short('square', 40)), [41, 0]);
  });
});

describe('memory', () => {
  it('of an evaluation is all given back, of an interrupted one and of one that fails too', async () => {
    const before = memoryInfo().liveTensors;
    for (const norm of ['linf', 'l2'] as const) await run({ attacks, norm });
    assert.equal(memoryInfo().liveTensors, before);

    let asked = 0;
    for (const kind of ['apgd-t', 'fab', 'square']) {
      asked = 0;
      const slow: Classifier = (x) => {
        const until = performance.now() + 60;
        while (performance.now() < until);
        return classify(x);
      };
      const attack = run({
        attacks: [short(kind, 40)],
        epsilon: 1e-6,
        fast: slow,
        interrupted: () => ++asked === 2, // first after the clean images
      });
      await assert.rejects(attack, InterruptedError, kind);
      assert.equal(memoryInfo().liveTensors, before, kind);
    }

    let passes = 0;
    const failing: Classifier = (x) => {
      if (++passes > 4) throw new Error('enough');
      return classify(x);
    };
    await assert.rejects(run({ attacks: [short('apgd-ce', 8)], fast: failing }), /enough/);
    assert.equal(memoryInfo().liveTensors, before);
  });
});

describe('pgd-200-paper', () => {
  const dots: Dataset = {
    name: 'dots',
    classes: ['a', 'b'],
    shape: [1, 1, 1],
    images: new Uint8Array(20).fill(128),
    labels: new Uint8Array(20),
    ids: consecutiveIds(20),
    order: 'file',
    warnings: [],
  };
  /** Wrong only between 0.55 and 0.58, with a gradient that leads through and beyond. */
  const band: Classifier = (x) => {
    const pixel = x.flatten(1); // [n, 1]
    const plain = pixel.detach();
    const wrong = plain.greater(0.55).mul(plain.less(0.58)).to('float32');
    const margin = wrong.mul(2).sub(1).add(pixel.sub(plain));
    return cat([zerosLike(plain), margin], 1);
  };

  it('judges the last iterate alone, after steps of 1/255', async () => {
    const paper = parseAttack('pgd-200-paper') as GradientAttack;
    const subject = { dataset: dots, classify: band, fast: band, epsilon: 0.1 };
    const [{ steps, stepSize }] = (await run({ ...subject, attacks: [paper] })).attacks as [
      Evaluation['attacks'][number],
    ];
    assert.deepEqual([steps, stepSize], [200, 1 / 255]);
    assert.equal((await run({ ...subject, attacks: [paper] })).robust, 1);
    const any = await run({ ...subject, attacks: [{ ...paper, lastOnly: false }] });
    assert.ok(any.robust < 0.5, `${any.robust}`);
    // And the last one does count.
    const wrong: Classifier = (x) => band(x.sub(0.03));
    assert.equal((await run({ ...subject, classify: wrong, fast: wrong, attacks: [paper] })).robust, 0);
  });
});

describe('a model', () => {
  it('of one class is refused', async () => {
    const one: Classifier = (x) => classify(x).narrow(1, 0, 1);
    const zeros: Dataset = { ...held, classes: ['a'], labels: new Uint8Array(48) };
    for (const name of ['apgd-ce', 'fab-t'])
      await assert.rejects(
        run({ attacks: [parseAttack(name)], dataset: zeros, classify: one, fast: one }),
        InputError,
      );
  });
});
