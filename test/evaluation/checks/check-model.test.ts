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
import { lossSurface } from '../../../src/evaluation/checks/loss-surface.js';
import { type Probe, probeBatch, spread } from '../../../src/evaluation/checks/probe.js';
import { thresholds } from '../../../src/evaluation/checks/thresholds.js';
import { evaluate } from '../../../src/evaluation/evaluate.js';
import type { ModelUnderTest } from '../../../src/evaluation/model-under-test.js';
import type { Model } from '../../../src/models/model.js';
import type { Classifier } from '../../../src/nn/classifier.js';
import { noGrad } from '../../../src/tensor/gradient.js';
import { scope } from '../../../src/tensor/scope.js';
import { clean } from '../../../src/training/objectives/objective.js';
import { blobs, smallModel, training } from '../../support/blobs.js';
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
      assert.deepEqual(await codesOf(subject, { threat: { norm: norms.l1, epsilon: 2 } }), []);
      if (seed === 1 && activation === 'silu') assert.deepEqual(await codesOf(subject, { full: true }), []);
      folded[Symbol.dispose]();
    });
});

/** A subject with the images that a check is given. */
async function probing<T>(subject: ModelUnderTest, body: (probe: Probe) => T | Promise<T>): Promise<T> {
  const { batch, labels } = probeBatch(data);
  const logits = scope(() => noGrad(() => subject.exact(batch.x)));
  const classes = logits.dimension(1);
  try {
    return await body({ subject, batch, labels, logits, classes, threat: linf, seed: 0 });
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
