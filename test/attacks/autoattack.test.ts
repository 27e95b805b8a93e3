/** AutoAttack's sets by name, when a result may carry one, and what each attack breaks alone. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { type Attack, parseAttack, withSurrogate } from '../../src/attacks/attack.js';
import { autoAttack, autoAttackSets, modeOf } from '../../src/attacks/autoattack.js';
import { norms } from '../../src/attacks/norms.js';
import { DatasetTensors } from '../../src/data/dataset-tensors.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { InputError } from '../../src/errors.js';
import { type Evaluation, evaluate } from '../../src/evaluation/evaluate.js';
import { perClass } from '../../src/evaluation/summary.js';
import { clean } from '../../src/training/objectives/objective.js';
import { blobs, smallModel, training } from '../support/blobs.js';
import { satin } from '../support/tiny-run.js';

setThreads(1);

describe('AutoAttack’s sets', () => {
  /** Loss or norm of distance, steps, restarts, targets and passes of each attack, as the reference has them. */
  const row = (attack: Attack) => [
    attack.kind,
    'loss' in attack ? attack.loss : null,
    attack.steps,
    attack.restarts,
    'targets' in attack ? attack.targets : 0,
    'eot' in attack ? attack.eot : 1,
  ];

  it('are those of the reference, in its order', () => {
    assert.deepEqual(autoAttack('standard').map(row), [
      ['apgd', 'ce', 100, 1, 0, 1],
      ['apgd', 'targeted-dlr', 100, 1, 9, 1],
      ['fab', null, 100, 1, 9, 1],
      ['square', null, 5000, 1, 0, 1],
    ]);
    assert.deepEqual(autoAttack('plus').map(row), [
      ['apgd', 'ce', 100, 5, 0, 1],
      ['apgd', 'dlr', 100, 5, 0, 1],
      ['fab', null, 100, 5, 0, 1],
      ['square', null, 5000, 1, 0, 1],
      ['apgd', 'targeted-dlr', 100, 1, 9, 1],
      ['fab', null, 100, 1, 9, 1],
    ]);
    assert.deepEqual(autoAttack('rand').map(row), [
      ['apgd', 'ce', 100, 1, 0, 20],
      ['apgd', 'dlr', 100, 1, 0, 20],
    ]);
  });

  it('give a result their name where nothing differs, however they were asked for', () => {
    for (const set of autoAttackSets) assert.equal(modeOf(autoAttack(set), 10), set);
    const names = ['apgd-ce', 'apgd-t', 'fab-t', 'square'];
    assert.equal(modeOf(names.map(parseAttack), 10), 'standard');
    const custom: readonly (readonly [what: string, attacks: readonly Attack[]])[] = [
      ['one is missing', names.slice(1).map(parseAttack)],
      ['another order', [...names].reverse().map(parseAttack)],
      ['one more', [...names, 'pgd-50'].map(parseAttack)],
      ['more restarts', ['apgd-ce-2', ...names.slice(1)].map(parseAttack)],
      [
        'fewer queries',
        autoAttack('standard').map((each) => ({ ...each, steps: Math.min(4999, each.steps) })),
      ],
      ['a surrogate', [...autoAttack('standard'), withSurrogate(parseAttack('apgd-ce'), 'silu')]],
      ['other passes', ['apgd-ce-eot10', 'apgd-dlr-eot10'].map(parseAttack)],
      ['none', []],
    ];
    for (const [what, attacks] of custom) assert.equal(modeOf(attacks, 10), 'custom', what);
  });

  it('lose their name where a loss has too few classes, and keep it with fewer targets', () => {
    const modes = (classes: number) => autoAttackSets.map((set) => modeOf(autoAttack(set), classes));
    assert.deepEqual(modes(2), ['custom', 'custom', 'custom']);
    assert.deepEqual(modes(3), ['custom', 'custom', 'rand']);
    assert.deepEqual(modes(4), ['standard', 'plus', 'rand']);
    assert.deepEqual(modes(1000), ['standard', 'plus', 'rand']);
  });

  it('average gradients where a name says so, of APGD alone', () => {
    const { name, ...attack } = parseAttack('apgd-t-3-eot7');
    const { name: _, ...plain } = parseAttack('apgd-t');
    assert.equal(name, 'apgd-t-3-eot7');
    assert.deepEqual(attack, { ...plain, restarts: 3, eot: 7 });
    for (const wrong of ['fab-eot20', 'square-eot2', 'pgd-5-eot3', 'apgd-ce-eot0', 'apgd-ce-eot20-5'])
      assert.throws(() => parseAttack(wrong), InputError, wrong);
  });
});

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
    await assert.rejects(run(['fgsm', 'pgd-5', 'fgsm']), /Expected each attack once .* 'fgsm, pgd-5, fgsm'/);
  });
});

describe('accuracy of each class', () => {
  it('adds up to that of all, and leaves out classes without examples', async () => {
    const { perExample, clean: all, robust } = await run(['pgd-5']);
    const classes = perClass(perExample, [...dataset.classes, 'never']);
    assert.deepEqual(
      classes.map((each) => [each.label, each.class]),
      [...dataset.classes.entries()],
    );
    const sum = (of: (each: (typeof classes)[number]) => number) =>
      classes.reduce((total, each) => total + of(each), 0);
    assert.equal(
      sum(({ examples }) => examples),
      160,
    );
    assert.ok(Math.abs(sum((each) => each.clean * each.examples) - all * 160) < 1e-9);
    assert.ok(Math.abs(sum((each) => each.robust * each.examples) - robust * 160) < 1e-9);
  });
});

describe('satin evaluate --autoattack', () => {
  const refused = (words: readonly string[], sentence: RegExp) => {
    const { status, stderr } = satin('evaluate', ...words);
    assert.equal(status, 2);
    assert.match(stderr, sentence);
  };

  it('takes the names of the sets alone', () => {
    refused(['runs/x', '--autoattack', 'fast'], /Allowed choices are standard, plus, rand/);
  });
});
