/** Every planted mistake raises its flag, and honest networks raise none. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { parseAttack, type Threat } from '../../../src/attacks/attack.js';
import { norms } from '../../../src/attacks/norms.js';
import { subset } from '../../../src/data/dataset.js';
import { DatasetTensors } from '../../../src/data/dataset-tensors.js';
import { memoryInfo, setThreads } from '../../../src/engine/engine-info.js';
import { EngineError, InterruptedError } from '../../../src/errors.js';
import { checkModel } from '../../../src/evaluation/checks/check-model.js';
import { checkResults } from '../../../src/evaluation/checks/check-results.js';
import { lossSurface } from '../../../src/evaluation/checks/loss-surface.js';
import { monotone } from '../../../src/evaluation/checks/monotone.js';
import { type Probe, probeBatch, spread } from '../../../src/evaluation/checks/probe.js';
import { thresholds } from '../../../src/evaluation/checks/thresholds.js';
import { evaluate } from '../../../src/evaluation/evaluate.js';
import type { ModelUnderTest } from '../../../src/evaluation/model-under-test.js';
import type { AttackResult } from '../../../src/evaluation/result.js';
import type { Model } from '../../../src/models/model.js';
import type { Classifier } from '../../../src/nn/classifier.js';
import { cat, tensor } from '../../../src/tensor/create.js';
import { noGrad } from '../../../src/tensor/gradient.js';
import { scope } from '../../../src/tensor/scope.js';
import { clean } from '../../../src/training/objectives/objective.js';
import { blobs, smallModel, training } from '../../support/blobs.js';
import { dots } from '../../support/dots.js';
import { plantedModels } from '../../support/planted-models.js';

setThreads(1);

const places = (first: number, count: number) => Array.from({ length: count }, (_, at) => first + at);
const whole = blobs(896 + 160);
const learned = subset(whole, places(0, 896));
const held = subset(whole, places(896, 160));
const data = new DatasetTensors(held);
const linf: Threat = { norm: norms.linf, epsilon: 0.02 };

const trained = (activation: string, seed: number): Model => {
  const model = smallModel(whole, { activation, seed });
  using steps = training(model, learned, clean());
  for (let step = 0; step < 56; step++) steps.step();
  after(() => model.dispose());
  return model;
};

const honest = ['relu', 'silu'].flatMap((activation) =>
  [1, 2, 3].map((seed) => ({ activation, seed, model: trained(activation, seed) })),
);
const silu = honest.find(({ activation }) => activation === 'silu')!.model;
after(() => data[Symbol.dispose]());

const codesOf = async (
  subject: ModelUnderTest,
  options: { readonly full?: boolean; readonly threat?: Threat } = {},
) => {
  const { full = false, threat = linf } = options;
  const { flags } = await checkModel(subject, data, { threat, seed: 0, full });
  return flags.map(({ code }) => code);
};
const both = (classify: Classifier): ModelUnderTest => ({ exact: classify, fast: classify });

describe('honest networks', () => {
  for (const { activation, seed, model } of honest)
    it(`raise no flag: ${activation}, seed ${seed}`, async () => {
      const folded = model.fold();
      const subject = { exact: model.classify, fast: folded.classify };
      assert.deepEqual(await codesOf(subject), []);
      assert.deepEqual(await codesOf(subject, { threat: { norm: norms.l2, epsilon: 0.25 } }), []);
      if (seed === 1 && activation === 'silu') assert.deepEqual(await codesOf(subject, { full: true }), []);
      folded[Symbol.dispose]();
    });
});

/** A subject with the images that a check is given. */
async function probing<T>(
  subject: ModelUnderTest,
  body: (probe: Probe) => T | Promise<T>,
  options: { readonly data?: DatasetTensors; readonly threat?: Threat } = {},
): Promise<T> {
  const { batch, labels } = probeBatch(options.data ?? data);
  const logits = scope(() => noGrad(() => subject.exact(batch.x)));
  const { threat = linf } = options;
  try {
    return await body({ subject, batch, labels, logits, classes: logits.dimension(1), threat, seed: 0 });
  } finally {
    for (const tensor of [batch.x, batch.labels, logits]) tensor.dispose();
  }
}

describe('a planted model', () => {
  for (const { name, flag, full = false, plant } of plantedModels)
    it(`raises its flag: ${name}`, async () => {
      const subject = both(plant(silu));
      const codes = full
        ? await probing(subject, (probe) => lossSurface(probe).map(({ code }) => code))
        : await codesOf(subject);
      assert.ok(codes.includes(flag), `${flag} is not among ${codes.join(', ') || 'none'}`);
      assert.equal(new Set(codes).size, codes.length, 'each once');
    });

  it('that cannot be differentiated is attacked all the same, from its random starts', async () => {
    const hidden: Classifier = (x) => silu.classify(x.detach());
    const { flags, subject } = await checkModel(both(hidden), data, { threat: linf, seed: 0 });
    assert.deepEqual(
      flags.map(({ code }) => code),
      ['zero-gradients'],
    );
    const options = { attacks: [parseAttack('pgd-2')], threat: linf, seed: 0, batch: 64 };
    await assert.rejects(evaluate(both(hidden), data, options), EngineError);
    const { clean: right, robust } = await evaluate(subject, data, options);
    assert.ok(robust <= right && robust > right - 0.1, `${robust} of ${right}`);
  });
});

/** Wrong where `wrong` holds of the pixel's distance from grey in ε; the margin's slope is 1, or `slope`. */
function ofDistance(
  wrong: (distance: number) => boolean,
  slope: (distance: number) => number = () => 1,
): Classifier {
  return (x) => {
    const distances = [...x.detach().flatten().numbers()].map((pixel) => (pixel - 128 / 255) / dot.epsilon);
    const values = distances.map((distance) => (wrong(distance) ? 1 : -1));
    const slopes = distances.map(slope);
    const pixel = x.flatten(1); // [N, 1]
    const column = (numbers: readonly number[]) => tensor(Float32Array.from(numbers), [numbers.length, 1]);
    const margin = column(values).add(pixel.sub(pixel.detach()).mul(column(slopes)));
    return cat([margin.neg(), margin], 1);
  };
}
const dot: Threat = { norm: norms.linf, epsilon: 0.1 };

describe('the monotone set', () => {
  const set = new DatasetTensors(dots(40));
  after(() => set[Symbol.dispose]());
  const codes = (classify: Classifier, threat = dot) =>
    probing(both(classify), async (probe) => (await monotone(probe)).map(({ code }) => code), {
      data: set,
      threat,
    });

  it('says nothing of a network that it can see through', async () => {
    assert.deepEqual(await codes(ofDistance((distance) => distance > 0.6)), []);
    assert.deepEqual(await codes(ofDistance((distance) => distance > 1.6)), []);
  });

  it('tells how far it is', async () => {
    const told: (readonly [number, number])[] = [];
    const onProgress = (done: number, total: number) => told.push([done, total]);
    const subject = both(ofDistance(() => false));
    await probing(subject, (probe) => monotone(probe, { onProgress }), {
      data: set,
      threat: { ...dot, epsilon: 0 },
    });
    assert.deepEqual(told, [
      [1, 2],
      [2, 2],
    ]);
    told.length = 0;
    await probing(subject, (probe) => monotone(probe, { onProgress }), { data: set, threat: dot });
    assert.deepEqual(
      told,
      places(1, 7).map((done) => [done, 7]),
    );
  });

  it('sees that more steps are weaker: small ones do not cross a band that leads back', async () => {
    const back = (distance: number) => (distance > 0.5 && distance < 0.57 ? -1 : 1);
    const found = await codes(ofDistance((distance) => distance > 0.95, back));
    assert.ok(found.includes('more-steps-are-weaker'), found.join());
  });

  it('sees that a larger ε is weaker: long steps leap over what is wrong', async () => {
    const found = await codes(ofDistance((distance) => distance > 0.87 && distance < 0.99));
    assert.ok(found.includes('larger-epsilon-is-weaker'), found.join());
    assert.ok(found.includes('huge-epsilon-stands'), found.join());
  });

  it('sees that a search without gradient beats one with it, and that noise does, where the gradient is 0', async () => {
    const found = await codes(
      ofDistance(
        (distance) => distance > 0.9,
        () => 0,
      ),
    );
    assert.ok(found.includes('black-box-beats-white-box'), found.join());
    assert.ok(found.includes('noise-beats-attack'), found.join());
  });

  it('sees that ε = 0 breaks what keeps a state', async () => {
    let pass = 0;
    const tires: Classifier = (x) => ofDistance(() => pass++ > 5)(x);
    const found = await codes(tires, { ...dot, epsilon: 0 });
    assert.deepEqual(found, ['zero-epsilon-breaks']);
  });
});

describe('checks of the results', () => {
  const result = (name: string, broken: number, surrogate?: string): AttackResult => ({
    name,
    loss: 'ce',
    steps: 1,
    stepSize: null,
    restarts: 1,
    targets: 0,
    attacked: 1000,
    broken,
    robustAfter: 0,
    forwards: 0,
    backwards: 0,
    seconds: 0,
    ...(surrogate !== undefined && { surrogate }),
  });
  const perExample = places(0, 1000).map((id) => ({ id, label: 0, clean: true, brokenBy: null }));
  const codes = (
    results: readonly AttackResult[],
    { classes = 10, share = 0.8, examples = perExample } = {},
  ) =>
    checkResults(
      { clean: share, attacks: results, perExample: examples },
      { classes, attacks: results.map(({ name }) => parseAttack(name.replace(/-through.*/, ''))) },
    ).map(({ code }) => code);

  it('tell Square that breaks more than two of a thousand behind an attack with gradients', () => {
    assert.deepEqual(codes([result('apgd-ce', 400), result('square', 3)]), ['square-beats-gradient']);
    assert.deepEqual(codes([result('apgd-ce', 400), result('square', 2)]), []);
    assert.deepEqual(codes([result('square', 300), result('apgd-ce', 100)]), []);
    assert.deepEqual(codes([result('square', 300)]), []);
  });

  it('tell another derivative that does', () => {
    assert.deepEqual(codes([result('pgd-5', 1), result('pgd-5-through-silu', 3, 'silu')]), [
      'surrogate-beats-gradient',
    ]);
    assert.deepEqual(codes([result('pgd-5', 1), result('pgd-5-through-silu', 2, 'silu')]), []);
  });

  it('tell attacks whose loss needs more classes', () => {
    assert.deepEqual(codes([result('apgd-t', 1)], { classes: 4 }), []);
    assert.deepEqual(codes([result('apgd-t', 1)], { classes: 3 }), ['few-classes']);
    assert.deepEqual(codes([result('apgd-dlr', 1)], { classes: 3 }), []);
    assert.deepEqual(codes([result('apgd-dlr', 1)], { classes: 2 }), ['few-classes']);
    assert.deepEqual(codes([result('apgd-ce', 1), result('fab-t', 1)], { classes: 2 }), []);
  });

  it('tell a clean accuracy near guessing, where there are enough images to say so', () => {
    assert.deepEqual(codes([], { share: 0.18 }), ['chance-accuracy']);
    assert.deepEqual(codes([], { share: 0.2 }), []);
    assert.deepEqual(codes([], { share: 0.54, classes: 2 }), ['chance-accuracy']);
    assert.deepEqual(codes([], { share: 0.1, examples: perExample.slice(0, 19) }), []);
  });
});

describe('the checks', () => {
  it('look at images spread over the data, which a folder holds class by class', () => {
    assert.deepEqual(spread(4), [0, 1, 2, 3]);
    assert.deepEqual(spread(100, 4), [0, 25, 50, 75]);
    const many = spread(1000);
    assert.equal(many.length, thresholds.probeImages);
    assert.equal(new Set(many).size, many.length);
  });

  it('leave nothing behind, and stop where they are asked to', async () => {
    const subject = both(silu.classify);
    await codesOf(subject);
    const before = memoryInfo().liveTensors;
    await codesOf(subject);
    assert.equal(memoryInfo().liveTensors, before);
    let asked = 0;
    const stopped = checkModel(subject, data, {
      threat: linf,
      seed: 0,
      full: true,
      interrupted: () => ++asked > 5,
    });
    await assert.rejects(stopped, InterruptedError);
    assert.equal(memoryInfo().liveTensors, before);
  });

  it('work on one image', async () => {
    using one = new DatasetTensors(subset(held, [0]));
    const { flags } = await checkModel(both(silu.classify), one, { threat: linf, seed: 0, full: true });
    assert.deepEqual(flags, []);
  });
});
