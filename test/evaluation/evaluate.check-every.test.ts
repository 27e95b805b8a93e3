/** Verdicts do not depend on how often an attack is checked. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { type Attack, parseAttack } from '../../src/attacks/attack.js';
import { type NormName, norms } from '../../src/attacks/norms.js';
import { subset } from '../../src/data/dataset.js';
import { memoryInfo, setThreads } from '../../src/engine/engine-info.js';
import { native } from '../../src/engine/native.js';
import { attackBatch } from '../../src/evaluation/attack-batch.js';
import { evaluate } from '../../src/evaluation/evaluate.js';
import type { ModelUnderTest } from '../../src/evaluation/model-under-test.js';
import type { Classifier } from '../../src/nn/classifier.js';
import { where, zerosLike } from '../../src/tensor/create.js';
import { noise } from '../../src/tensor/noise.js';
import { scope } from '../../src/tensor/scope.js';
import { clean } from '../../src/training/objectives/objective.js';
import { blobs, smallModel, training, underAttack } from '../support/blobs.js';

setThreads(1);

const places = (first: number, count: number) => Array.from({ length: count }, (_, at) => first + at);
const whole = blobs(512 + 64);
const model = smallModel(whole);
{
  using steps = training(model, subset(whole, places(0, 512)), clean());
  for (let step = 0; step < 48; step++) steps.step();
}
const { folded, data, subject, dispose } = underAttack(model, subset(whole, places(512, 64)));
after(dispose);

const short = (name: string, steps: number, targets?: number): Attack => {
  const attack = parseAttack(name);
  return { ...attack, steps, ...('targets' in attack && { targets: targets ?? attack.targets }) };
};
const attacks: readonly Attack[] = [
  short('pgd-12-2', 12),
  short('pgd-cw-25', 25),
  short('pgd-15-paper', 15),
  short('apgd-ce', 14),
  short('apgd-t', 14, 2),
  short('fab', 12),
  short('fab-t-2', 12, 2),
  short('square', 60),
];
const epsilons = { linf: 0.012, l2: 0.1, l1: 1 } as const;

async function broken(attack: Attack, norm: NormName, checkEvery: number, of: ModelUnderTest = subject) {
  const threat = { norm: norms[norm], epsilon: epsilons[norm] };
  const found = await evaluate(of, data, { attacks: [attack], threat, seed: 1, batch: 64, checkEvery });
  const ids = found.perExample.filter(({ brokenBy }) => brokenBy !== null).map(({ id }) => id);
  return { ids, cost: found.attacks[0]!.forwards, images: found.adversarial };
}

describe('verdicts', () => {
  for (const norm of ['linf', 'l2'] as const)
    for (const attack of attacks.filter(({ name }) => norm === 'linf' || !name.endsWith('paper')))
      it(`are those of checks at each iterate: ${attack.name}, ${norm}`, async () => {
        const each = await broken(attack, norm, 1);
        assert.ok(each.ids.length > 0 && each.ids.length < 60, `${each.ids.length} broken`);
        const costs = [];
        for (const every of [10, 1000]) {
          const seldom = await broken(attack, norm, every);
          assert.deepEqual(seldom.ids, each.ids, `every ${every}`);
          assert.equal(seldom.images.size, each.images.size);
          costs.push(seldom.cost);
        }
        // What is broken stays until the next check, and no longer.
        if (attack.kind === 'square') assert.ok(each.cost < costs[0]! && costs[0]! < costs[1]!, costs.join());
      });

  it('are the exact model’s: what the faster one alone gets wrong goes on being attacked', async () => {
    const misled: Classifier = (x) => folded.classify(x).mul(-1);
    for (const attack of attacks)
      assert.deepEqual(
        (await broken(attack, 'linf', 10, { ...subject, fast: misled })).ids.length < 40,
        true,
      );
  });

  it('count NaN as wrong, at each iterate and seldom', async () => {
    const dark =
      (classify: Classifier): Classifier =>
      (x) =>
        scope(() => {
          const logits = classify(x);
          const isDark = x.mean([1, 2, 3]).less(0.49).reshape([-1, 1]);
          return where(isDark, zerosLike(logits).add(Number.NaN), logits);
        });
    const nan = { exact: dark(model.classify), fast: dark(folded.classify) };
    for (const attack of [short('pgd-12', 12), short('square', 40)]) {
      const each = await broken(attack, 'linf', 1, nan);
      assert.ok(each.ids.length > 0);
      assert.deepEqual((await broken(attack, 'linf', 10, nan)).ids, each.ids);
    }
  });

  it('of a random model are those of most passes', async () => {
    let pass = 0;
    const noisy: Classifier = (x) =>
      scope(() => {
        const logits = model.classify(x);
        const key = { seed: 2, stream: 'bench', step: pass++ } as const;
        return logits.add(
          noise('normal', { key, ids: [0], shape: logits.shape })
            .reshape(logits.shape)
            .mul(0.1),
        );
      });
    const random = { exact: noisy, fast: noisy, random: true };
    const sure = await broken(short('pgd-12', 12), 'linf', 1);
    for (const every of [1, 10]) {
      const { ids } = await broken(short('pgd-12', 12), 'linf', every, random);
      const both = ids.filter((id) => sure.ids.includes(id));
      assert.ok(both.length > 0.7 * sure.ids.length, `${both.length} of ${sure.ids.length}, every ${every}`);
    }
  });
});

describe('an attacked batch', () => {
  it('is read from at the checks alone', () => {
    for (const attack of attacks) {
      const options = { attack, threat: { norm: norms.linf, epsilon: 1e-6 }, seed: 0, classes: 4 };
      const reads = scope(() => {
        const batch = data.batch(places(0, 32));
        const count = { forwards: 0, backwards: 0 };
        const search = attackBatch(subject, batch, { ...options, count, checkEvery: 1000 });
        search.next();
        const before = native().readCount();
        let rounds = 1; // of which each ends with a check
        for (let state = search.next(); state.done !== true; state = search.next()) rounds++;
        return { reads: native().readCount() - before, rounds };
      });
      assert.ok(reads.rounds > attack.steps - 1);
      // A check reads the mask, and the verdict where one of the 32 is wrong from the start.
      assert.ok(reads.reads <= 5 * 3, `${attack.name}: ${reads.reads} reads in ${reads.rounds} steps`);
    }
  });

  it('leaves nothing behind, also where it is stopped', () => {
    const before = memoryInfo().liveTensors;
    for (const steps of [3, Number.POSITIVE_INFINITY]) {
      const batch = data.batch(places(0, 32));
      const options = { threat: { norm: norms.linf, epsilon: 0.02 }, seed: 0, classes: 4, checkEvery: 7 };
      const count = { forwards: 0, backwards: 0 };
      const search = attackBatch(subject, batch, { ...options, attack: short('apgd-ce', 20), count });
      for (let step = 0; step < steps && search.next().done !== true; step++);
      search.return([]);
      batch.x.dispose();
      batch.labels.dispose();
    }
    assert.equal(memoryInfo().liveTensors, before);
  });
});
