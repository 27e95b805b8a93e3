/** Who leaves on a cycle has the verdict, the adversarial image and the last iterate of all steps, bit by bit. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { type GradientAttack, parseAttack } from '../../src/attacks/attack.js';
import { norms } from '../../src/attacks/norms.js';
import type { Observer } from '../../src/attacks/observer.js';
import { pgd } from '../../src/attacks/pgd.js';
import { subset } from '../../src/data/dataset.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { evaluate } from '../../src/evaluation/evaluate.js';
import type { Classifier } from '../../src/nn/classifier.js';
import { scope } from '../../src/tensor/scope.js';
import { adversarial } from '../../src/training/objectives/adversarial.js';
import { clean } from '../../src/training/objectives/objective.js';
import { blobs, smallModel, training, underAttack } from '../support/blobs.js';

setThreads(1);

const places = (first: number, count: number) => Array.from({ length: count }, (_, at) => first + at);
const whole = blobs(512 + 64);
const epsilon = 0.02;

for (const [activation, checks] of [
  ['silu', [1, 10]],
  ['relu', [1]],
] as const)
  describe(`an attack that leaves its cycles, ${activation}`, () => {
    const model = smallModel(whole, { activation });
    {
      const learned = subset(whole, places(0, 512));
      const attack = {
        norm: norms.linf,
        epsilon,
        steps: 1,
        stepSize: epsilon,
        start: { kind: 'uniform' },
        batchNorm: 'eval',
      } as const;
      using warm = training(model, learned, clean());
      for (let step = 0; step < 32; step++) warm.step();
      using steps = training(model, learned, adversarial({ attack }));
      for (let step = 0; step < 32; step++) steps.step();
    }
    // With an execution plan: the numbers of an image do not depend on those that have left.
    const { folded, data, subject, dispose } = underAttack(model, subset(whole, places(512, 64)));
    after(dispose);
    const run = async (name: string, checkEvery: number, of = subject) => {
      const attack = parseAttack(name);
      const threat = { norm: norms.linf, epsilon };
      const found = await evaluate(of, data, { attacks: [attack], threat, seed: 1, batch: 64, checkEvery });
      return { verdicts: found.perExample, images: found.adversarial, cost: found.attacks[0]! };
    };

    it('has a plan, so that numbers do not depend on the batch', () =>
      scope(() => {
        const { x } = data.batch(places(0, 9));
        const logits = folded.classify(x).numbers();
        const alone = folded.classify(x.narrow(0, 5, 1)).numbers();
        assert.deepEqual(alone, logits.slice(5 * 4, 6 * 4));
      }));

    for (const name of ['pgd-90-step0.25', 'pgd-cw-90-step0.5', 'pgd-60-2-step0.25', 'pgd-90-paper'])
      for (const every of checks)
        it(`${name}: verdicts and images are those of all steps, at a check every ${every}`, async (t) => {
          const [all, few] = [await run(name, every), await run(`${name}-cycles`, every)];
          const brokenBy = (verdicts: typeof all.verdicts) => verdicts.map((each) => each.brokenBy !== null);
          assert.deepEqual(brokenBy(few.verdicts), brokenBy(all.verdicts));
          assert.deepEqual(few.images, all.images);
          const { attacked, broken, backwards } = all.cost;
          assert.ok(broken > 5 && attacked - broken > 5, `${broken} of ${attacked} broken`);
          t.diagnostic(`${few.cost.backwards} of ${backwards} backward passes`);
          assert.ok(few.cost.backwards < 0.8 * backwards, `${few.cost.backwards} of ${backwards}`);
          assert.equal(few.cost.cycles, true);
          assert.equal(all.cost.cycles, undefined);
        });

    it('shows every iterate that there is before an example is settled, and keeps the last one', () => {
      const { steps, relativeStep } = parseAttack('pgd-80-step0.25') as GradientAttack;
      const options = { norm: norms.linf, epsilon, steps, stepSize: relativeStep * epsilon };
      const size = 128;
      scope(() => {
        const { x, labels, ids } = data.batch(places(0, 64));
        const start = norms.linf.randomStart(x, { epsilon, key: { seed: 1, stream: 'attack' }, ids });
        const watched = (cycles: boolean) => {
          const seen = ids.map(() => new Set<string>());
          const settledAt = ids.map(() => Number.POSITIVE_INFINITY);
          let step = 0;
          const observe: Observer = ({ x: iterate, settled, rows }) => {
            const pixels = iterate.detach().data() as Float32Array;
            for (const [place, row] of rows.entries())
              seen[row]!.add(String(pixels.subarray(place * size, (place + 1) * size)));
            assert.equal(settled !== undefined, cycles && step < steps);
            for (const [place, value] of [...(settled?.numbers() ?? [])].entries())
              if (value !== 0) settledAt[place] = Math.min(settledAt[place]!, step);
            step++;
            return null; // nobody leaves
          };
          const last = pgd(folded.classify, { x, labels, start }, { ...options, cycles }, observe);
          return { seen, settledAt, last: last.numbers() };
        };
        const [all, few] = [watched(false), watched(true)];
        assert.deepEqual(few.last, all.last);
        assert.deepEqual(few.seen, all.seen);
        assert.ok(few.settledAt.filter((step) => step < steps).length > 5);
        // An oracle of its own: an example is settled if and only if it has shown all that it will.
        for (const [row, step] of few.settledAt.entries())
          assert.ok(all.seen[row]!.size <= step, `${all.seen[row]!.size} iterates, settled at ${step}`);
      });
    });

    it('takes every step of a random model', async () => {
      const exact: Classifier = (x) => model.classify(x);
      const random = { exact, fast: folded.classify, random: true };
      const [all, few] = [await run('pgd-20-step1', 1, random), await run('pgd-20-step1-cycles', 1, random)];
      assert.equal(few.cost.backwards, all.cost.backwards);
      const fixed = await run('pgd-20-step1-cycles', 1);
      assert.ok(fixed.cost.backwards < all.cost.backwards);
    });
  });
