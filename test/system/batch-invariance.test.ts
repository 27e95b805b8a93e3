/** An example's verdict is its own: neither the size of the batch nor the order of the data decides it. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { type Attack, parseAttack, type Threat } from '../../src/attacks/attack.js';
import { norms } from '../../src/attacks/norms.js';
import { type Dataset, subset } from '../../src/data/dataset.js';
import { DatasetTensors } from '../../src/data/dataset-tensors.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { type Evaluation, evaluate } from '../../src/evaluation/evaluate.js';
import { scope } from '../../src/tensor/scope.js';
import { adversarial } from '../../src/training/objectives/adversarial.js';
import { clean } from '../../src/training/objectives/objective.js';
import { blobs, smallModel, training } from '../support/blobs.js';

setThreads(1);

const places = (first: number, count: number) => Array.from({ length: count }, (_, at) => first + at);
const whole = blobs(896 + 210);
const held = subset(whole, places(896, 210));

/** The same examples in an order of their own: 210 and 11 have no common factor. */
const shuffled = subset(
  held,
  places(0, 210).map((place) => (place * 11 + 31) % 210),
);

const threats: readonly Threat[] = [
  { norm: norms.linf, epsilon: 0.02 },
  { norm: norms.l2, epsilon: 0.2 },
];

/** By id: the attack that broke it; 'wrong' where it was wrong already, 'robust' where none broke it. */
type Verdicts = ReadonlyMap<number, string>;

const verdicts = ({ perExample }: Evaluation): Verdicts =>
  new Map(perExample.map(({ id, clean, brokenBy }) => [id, clean ? (brokenBy ?? 'robust') : 'wrong']));

describe('a verdict depends neither on the batch nor on the order', () => {
  for (const [place, activation] of ['relu', 'silu'].entries()) {
    const threat = threats[place]!;
    const model = smallModel(whole, { activation });
    {
      const attack = {
        norm: norms.linf,
        epsilon: 0.01,
        steps: 1,
        stepSize: 0.01,
        start: { kind: 'uniform' },
        batchNorm: 'eval',
      } as const;
      const learned = subset(whole, places(0, 896));
      using warm = training(model, learned, clean());
      for (let step = 0; step < 56; step++) warm.step();
      using steps = training(model, learned, adversarial({ attack }));
      for (let step = 0; step < 28; step++) steps.step();
    }
    const folded = model.fold();
    after(() => {
      folded[Symbol.dispose]();
      model.dispose();
    });

    const judge = async (
      dataset: Dataset,
      threat: Threat,
      batch: number,
      attacks: readonly Attack[] = ['fgsm', 'pgd-5'].map(parseAttack),
    ): Promise<Verdicts> => {
      using data = new DatasetTensors(dataset);
      const subject = { exact: model.classify, fast: folded.classify };
      return verdicts(
        await evaluate(subject, data, {
          attacks,
          threat,
          seed: 0,
          batch,
        }),
      );
    };

    it(`${activation}, ${threat.norm.name}: each attack of AutoAttack in batches of 1 and of 256, in two orders`, async (t) => {
      const few = subset(held, places(0, 64));
      const turned = subset(
        held,
        places(0, 64).map((place) => (place * 11 + 31) % 64),
      );
      let [differ, count, broken] = [0, 0, 0];
      for (const name of ['apgd-ce', 'apgd-t', 'fab-t', 'square']) {
        const attack = { ...parseAttack(name), steps: name === 'square' ? 12 : 4 };
        const reference = await judge(few, threat, 256, [attack]);
        broken += [...reference.values()].filter((verdict) => verdict === name).length;
        for (const other of [
          await judge(few, threat, 1, [attack]),
          await judge(turned, threat, 256, [attack]),
        ]) {
          differ += [...reference].filter(([id, verdict]) => other.get(id) !== verdict).length;
          count += reference.size;
        }
      }
      t.diagnostic(`${differ} of ${count} verdicts differ`);
      assert.ok(broken >= 20, `${broken} broken`);
      assert.ok(differ <= 0.005 * count, `${differ} of ${count} verdicts differ`);
    });

    it(`${activation}, ${threat.norm.name}: batches of 1, 7 and 64, and another order`, async (t) => {
      const reference = await judge(held, threat, 64);
      const count = reference.size;
      assert.equal(count, 210);
      const share = (verdict: string) =>
        [...reference.values()].filter((each) => each === verdict).length / count;
      // Otherwise there would be little to disagree about.
      assert.ok(share('robust') > 0.1 && share('wrong') < 0.3, `${share('robust')} robust`);
      const broken = share('fgsm') + share('pgd-5');
      assert.ok(broken > 0.1, `${broken} broken`);
      for (const [name, dataset, batch] of [
        ['batches of 1', held, 1],
        ['batches of 7', held, 7],
        ['another order', shuffled, 64],
        ['another order in batches of 7', shuffled, 7],
      ] as const) {
        const other = await judge(dataset, threat, batch);
        const differ = [...reference].filter(([id, verdict]) => other.get(id) !== verdict).length;
        t.diagnostic(`${name}: ${differ} of ${count} verdicts differ`);
        assert.ok(differ <= 0.005 * count, `${name}: ${differ} of ${count} verdicts differ`);
      }
    });
  }
});

describe('the starting noise', () => {
  for (const { norm, epsilon } of threats)
    it(`in ${norm.name} is bit-equal in batches of 1, 7 and 64, and in another order`, () => {
      using data = new DatasetTensors(held);
      const start = (rows: readonly number[]): Map<number, Float64Array> =>
        scope(() => {
          const { x, ids } = data.batch(rows);
          const key = { seed: 0, stream: 'attack', restart: 1 } as const;
          const numbers = norm.randomStart(x, { epsilon, key, ids }).numbers();
          return new Map(ids.map((id, row) => [id, numbers.slice(row * 128, (row + 1) * 128)]));
        });
      const inBatches = (order: readonly number[], batch: number) =>
        new Map(
          Array.from({ length: Math.ceil(order.length / batch) }, (_, chunk) => [
            ...start(order.slice(chunk * batch, (chunk + 1) * batch)),
          ]).flat(),
        );
      const order = places(0, 210);
      const reference = inBatches(order, 64);
      assert.equal(reference.size, 210);
      for (const [rows, batch] of [
        [order, 1],
        [order, 7],
        [[...order].reverse(), 64],
      ] as const)
        for (const [id, numbers] of inBatches(rows, batch))
          assert.deepEqual(numbers, reference.get(id), `example ${id}`);
    });
});
