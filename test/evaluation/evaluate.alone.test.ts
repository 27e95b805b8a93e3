/** What each attack breaks alone, beside what it breaks in its sequence. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { parseAttack } from '../../src/attacks/attack.js';
import { norms } from '../../src/attacks/norms.js';
import { DatasetTensors } from '../../src/data/dataset-tensors.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { type Evaluation, evaluate } from '../../src/evaluation/evaluate.js';
import { clean } from '../../src/training/objectives/objective.js';
import { blobs, smallModel, training } from '../support/blobs.js';

setThreads(1);

const dataset = blobs(160);
const model = smallModel(dataset);
{
  using steps = training(model, dataset, clean());
  for (let step = 0; step < 25; step++) steps.step();
}
const data = new DatasetTensors(dataset);
after(() => {
  data[Symbol.dispose]();
  model.dispose();
});

const run = (attacks: readonly string[], alone = false, epsilon = 0.02) =>
  evaluate({ exact: model.classify, fast: model.classify }, data, {
    attacks: attacks.map(parseAttack).map((each) => (each.kind === 'square' ? { ...each, steps: 50 } : each)),
    threat: { norm: norms.linf, epsilon },
    seed: 0,
    batch: 64,
    alone,
  });

describe('what attacks break alone', () => {
  const names = ['fgsm', 'square', 'pgd-5', 'pgd-10'];

  it('is what each breaks where it is the only one, and changes nothing of the sequence', async () => {
    const [both, sequence] = [await run(names, true), await run(names)];
    const comparable = ({ attacks }: Evaluation) =>
      attacks.map(({ seconds: _, alone: __, ...attack }) => attack);
    assert.deepEqual(comparable(both), comparable(sequence));
    assert.deepEqual(both.perExample, sequence.perExample);
    assert.deepEqual(both.adversarial, sequence.adversarial);
    assert.ok(sequence.attacks.every(({ alone }) => alone === undefined));
    assert.ok(both.attacks.some(({ broken, alone }) => alone!.broken > broken));
    for (const [at, name] of names.entries()) {
      const [{ attacked, broken }] = (await run([name])).attacks as [Evaluation['attacks'][number]];
      const result = both.attacks[at]!;
      assert.deepEqual([result.alone!.attacked, result.alone!.broken], [attacked, broken], name);
      assert.ok(result.alone!.forwards >= result.forwards && result.alone!.seconds >= result.seconds);
    }
  });

  it('needs nothing anew for the first attack', async () => {
    const [{ alone, attacked, broken, forwards, backwards }] = (await run(['pgd-5', 'fgsm'], true))
      .attacks as [Evaluation['attacks'][number]];
    const { seconds: _, ...counts } = alone!;
    assert.deepEqual(counts, { attacked, broken, forwards, backwards });
  });

  it('is refused for an attack that is named twice', async () => {
    await assert.rejects(run(['fgsm', 'pgd-5', 'fgsm']), /Expected distinct attacks .* 'fgsm, pgd-5, fgsm'/);
  });
});
