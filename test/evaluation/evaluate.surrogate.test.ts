/** Attacks through another activation's derivative: --surrogate. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { parseDerivative } from '../../src/activations/parse.js';
import { evaluateRun } from '../../src/app/evaluate/evaluate-run.js';
import { attackableModel } from '../../src/app/model/open-model.js';
import { parseAttack, withSurrogate } from '../../src/attacks/attack.js';
import { norms } from '../../src/attacks/norms.js';
import { DatasetTensors } from '../../src/data/dataset-tensors.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { evaluate } from '../../src/evaluation/evaluate.js';
import type { Classifier } from '../../src/nn/classifier.js';
import { clean } from '../../src/training/objectives/objective.js';
import { blobs, smallModel, training } from '../support/blobs.js';

setThreads(1);

const dataset = blobs(192);
const model = smallModel(dataset, { activation: 'relu' });
{
  using steps = training(model, dataset, clean());
  for (let step = 0; step < 24; step++) steps.step();
}
after(() => model.dispose());

const options = {
  model: attackableModel(model, { name: 'a model', digest: 'sha256:0' }),
  data: dataset,
  attacks: ['fgsm', 'pgd-4'],
  norm: 'linf',
  epsilon: { epsilon: 0.02, epsilonText: '0.02' },
  seed: 0,
  batch: 64,
  interrupted: () => false,
} as const;

describe('a surrogate', () => {
  it('tries every attack once more, on what the network’s own gradient left', async () => {
    const surrogates = [parseDerivative('softplus(10)'), parseDerivative('silu')];
    const [{ result: own }, { result }] = [
      await evaluateRun(options),
      await evaluateRun({ ...options, surrogates }),
    ];
    assert.deepEqual(
      result.attacks.map(({ name, surrogate }) => [name, surrogate]),
      [
        ['fgsm', undefined],
        ['pgd-4', undefined],
        ['fgsm-through-softplus(10)', 'softplus(10)'],
        ['pgd-4-through-softplus(10)', 'softplus(10)'],
        ['fgsm-through-silu', 'silu'],
        ['pgd-4-through-silu', 'silu'],
      ],
    );
    for (const [place, attack] of own.attacks.entries()) {
      const { seconds: _, ...again } = result.attacks[place]!;
      const { seconds: __, ...first } = attack;
      assert.deepEqual(again, first, 'the own attacks are what they were');
    }
    assert.ok(result.robust <= own.robust);
    for (const [place, { attacked, broken }] of result.attacks.entries())
      if (place > 0) {
        const before = result.attacks[place - 1]!;
        assert.equal(attacked, before.attacked - before.broken);
        assert.equal(
          broken,
          result.perExample.filter((each) => each.brokenBy === result.attacks[place]!.name).length,
        );
      }
  });

  it('breaks a network that hides its gradient, and a flag says so', async () => {
    // The same values, and a gradient of zero wherever the attack looks.
    const hidden: Classifier = (x) => model.classify(x.detach()).add(x.mul(0).sum([1, 2, 3]).unsqueeze(1));
    const folded = model.fold({ derivative: parseDerivative('softplus(10)') });
    using data = new DatasetTensors(dataset);
    const pgd = parseAttack('pgd-4');
    const subject = {
      exact: model.classify,
      fast: hidden,
      surrogates: new Map([['softplus(10)', folded.classify]]),
    };
    const found = await evaluate(subject, data, {
      attacks: [pgd, withSurrogate(pgd, 'softplus(10)')],
      threat: { norm: norms.linf, epsilon: 0.02 },
      seed: 0,
      batch: 64,
    });
    folded[Symbol.dispose]();
    const [own, surrogate] = found.attacks;
    assert.ok(own!.broken <= 0.1 * own!.attacked, `${own!.broken} of ${own!.attacked}`);
    assert.ok(
      surrogate!.broken >= 0.3 * surrogate!.attacked,
      `${surrogate!.broken} of ${surrogate!.attacked}`,
    );
  });

  it('raises its flag only where it breaks more than two of a thousand', async () => {
    const { result } = await evaluateRun({ ...options, surrogates: [parseDerivative('silu')] });
    const broken = result.attacks
      .filter(({ surrogate }) => surrogate !== undefined)
      .reduce((sum, each) => sum + each.broken, 0);
    assert.equal(result.flags.length, broken > 0.002 * dataset.labels.length ? 1 : 0);
    const { result: weak } = await evaluateRun({
      ...options,
      attacks: ['fgsm'],
      epsilon: { epsilon: 0, epsilonText: '0' },
      surrogates: [parseDerivative('silu')],
    });
    assert.deepEqual(weak.flags, []);
    const { result: hard } = await evaluateRun({
      ...options,
      attacks: ['pgd-1'],
      epsilon: { epsilon: 0.005, epsilonText: '0.005' },
      surrogates: [
        parseDerivative('softplus(10)'),
        parseDerivative('leaky-relu(0.5)'),
        parseDerivative('elu'),
      ],
    });
    const more = hard.attacks.slice(1).reduce((sum, each) => sum + each.broken, 0);
    assert.equal(hard.flags[0]?.code, more > 0 ? 'surrogate-beats-gradient' : undefined);
  });

  it('that the subject does not have is refused', async () => {
    using data = new DatasetTensors(dataset);
    await assert.rejects(
      evaluate({ exact: model.classify, fast: model.classify }, data, {
        attacks: [withSurrogate(parseAttack('fgsm'), 'silu')],
        threat: { norm: norms.linf, epsilon: 0.1 },
        seed: 0,
        batch: 64,
      }),
      /a classifier with the derivative of silu/,
    );
  });
});
