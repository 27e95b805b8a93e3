/** AutoAttack's sets: their attacks, their names, and what a name is worth where something differs. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Attack, parseAttack, requireNorm, withSurrogate } from '../../src/attacks/attack.js';
import { autoAttack, autoAttackSets, modeOf } from '../../src/attacks/autoattack.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { InputError } from '../../src/errors.js';
import { type NormName, normNames } from '../../src/user-input/norm-name.js';

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
    assert.deepEqual(autoAttack('standard', 'linf').map(row), [
      ['apgd', 'ce', 100, 1, 0, 1],
      ['apgd', 'targeted-dlr', 100, 1, 9, 1],
      ['fab', null, 100, 1, 9, 1],
      ['square', null, 5000, 1, 0, 1],
    ]);
    assert.deepEqual(autoAttack('plus', 'linf').map(row), [
      ['apgd', 'ce', 100, 5, 0, 1],
      ['apgd', 'dlr', 100, 5, 0, 1],
      ['fab', null, 100, 5, 0, 1],
      ['square', null, 5000, 1, 0, 1],
      ['apgd', 'targeted-dlr', 100, 1, 9, 1],
      ['fab', null, 100, 1, 9, 1],
    ]);
    assert.deepEqual(autoAttack('rand', 'linf').map(row), [
      ['apgd', 'ce', 100, 1, 0, 20],
      ['apgd', 'dlr', 100, 1, 0, 20],
    ]);
  });

  it('start APGD in larger balls in L1, and are otherwise the same', () => {
    const standard = autoAttack('standard', 'l1');
    assert.deepEqual(standard.map(row), [
      ['apgd', 'ce', 100, 5, 0, 1],
      ['apgd', 'targeted-dlr', 100, 1, 5, 1],
      ['fab', null, 100, 1, 9, 1],
      ['square', null, 5000, 1, 0, 1],
    ]);
    assert.deepEqual(
      standard.map((each) => 'shrinking' in each && each.shrinking === true),
      [true, true, false, false],
    );
    for (const set of ['plus', 'rand'] as const)
      assert.deepEqual(autoAttack(set, 'l1'), autoAttack(set, 'linf'));
    // The list of another norm is no set of this one.
    assert.equal(modeOf(autoAttack('standard', 'linf'), 10, 'l1'), 'custom');
    assert.equal(modeOf(standard, 10, 'linf'), 'custom');
    for (const attack of standard) requireNorm(attack, 'l1');
    for (const norm of ['linf', 'l2'] as const)
      assert.throws(() => requireNorm(standard[0]!, norm), /the norm of apgd-ce-large-5/);
  });

  it('give a result their name where nothing differs, however they were asked for', () => {
    for (const norm of normNames)
      for (const set of autoAttackSets) assert.equal(modeOf(autoAttack(set, norm), 10, norm), set, norm);

    const names = ['apgd-ce', 'apgd-t', 'fab-t', 'square'];
    assert.equal(modeOf(names.map(parseAttack), 10, 'linf'), 'standard');
    const custom: readonly (readonly [what: string, attacks: readonly Attack[]])[] = [
      ['one is missing', names.slice(1).map(parseAttack)],
      ['another order', [...names].reverse().map(parseAttack)],
      ['one more', [...names, 'pgd-50'].map(parseAttack)],
      ['more restarts', ['apgd-ce-2', ...names.slice(1)].map(parseAttack)],
      [
        'fewer queries',
        autoAttack('standard', 'linf').map((each) => ({ ...each, steps: Math.min(4999, each.steps) })),
      ],
      ['a surrogate', [...autoAttack('standard', 'linf'), withSurrogate(parseAttack('apgd-ce'), 'silu')]],
      ['other targets', ['apgd-ce', 'malt', 'fab-t', 'square'].map(parseAttack)],
      ['other targets alone', [parseAttack('malt')]],
      ['other passes', ['apgd-ce-eot10', 'apgd-dlr-eot10'].map(parseAttack)],
      ['none', []],
    ];
    for (const [what, attacks] of custom) assert.equal(modeOf(attacks, 10, 'linf'), 'custom', what);
  });

  it('lose their name where a loss has too few classes, and keep it with fewer targets', () => {
    const modes = (classes: number, norm: NormName = 'linf') =>
      autoAttackSets.map((set) => modeOf(autoAttack(set, norm), classes, norm));
    assert.deepEqual(modes(2), ['custom', 'custom', 'custom']);
    assert.deepEqual(modes(3), ['custom', 'custom', 'rand']);
    assert.deepEqual(modes(4), ['standard', 'plus', 'rand']);
    assert.deepEqual(modes(1000), ['standard', 'plus', 'rand']);
    assert.deepEqual(modes(3, 'l1'), ['custom', 'custom', 'rand']);
    assert.deepEqual(modes(4, 'l1'), ['standard', 'plus', 'rand']);
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
